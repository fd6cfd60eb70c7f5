/* stix/stix_vocab.c - the vocabularies of STIX 2.1 section 10, each sorted by its bytes. */
#include "stix_spec.h"

#define COUNT(a) ((uint16_t)(sizeof(a) / sizeof((a)[0])))
#define VOCAB(id, name, closed, section, ...)                                                      \
    static const char *const words_##id[] = {__VA_ARGS__};                                         \
    const struct stix_vocab stix_##id = {name, words_##id, COUNT(words_##id), closed,              \
                                         "STIX 2.1 section " section};
#define OPEN   false
#define CLOSED true

VOCAB(account_type_ov, "account-type-ov", OPEN, "10.1", "facebook", "ldap", "nis", "openid",
      "radius", "skype", "tacacs", "twitter", "unix", "windows-domain", "windows-local")

VOCAB(attack_motivation_ov, "attack-motivation-ov", OPEN, "10.2", "accidental", "coercion",
      "dominance", "ideology", "notoriety", "organizational-gain", "personal-gain",
      "personal-satisfaction", "revenge", "unpredictable")

VOCAB(attack_resource_level_ov, "attack-resource-level-ov", OPEN, "10.3", "club", "contest",
      "government", "individual", "organization", "team")

VOCAB(encryption_algorithm_enum, "encryption-algorithm-enum", CLOSED, "10.4", "AES-256-GCM",
      "ChaCha20-Poly1305", "mime-type-indicated")

VOCAB(extension_type_enum, "extension-type-enum", CLOSED, "10.5", "new-sco", "new-sdo", "new-sro",
      "property-extension", "toplevel-property-extension")

VOCAB(grouping_context_ov, "grouping-context-ov", OPEN, "10.6", "malware-analysis",
      "suspicious-activity", "unspecified")

VOCAB(hash_algorithm_ov, "hash-algorithm-ov", OPEN, "10.7", "MD5", "SHA-1", "SHA-256", "SHA-512",
      "SHA3-256", "SHA3-512", "SSDEEP", "TLSH")

VOCAB(identity_class_ov, "identity-class-ov", OPEN, "10.8", "class", "group", "individual",
      "organization", "system", "unknown")

VOCAB(implementation_language_ov, "implementation-language-ov", OPEN, "10.9", "applescript", "bash",
      "c", "c#", "c++", "go", "java", "javascript", "lua", "objective-c", "perl", "php",
      "powershell", "python", "ruby", "rust", "scala", "swift", "typescript", "visual-basic",
      "x86-32", "x86-64")

VOCAB(indicator_type_ov, "indicator-type-ov", OPEN, "10.10", "anomalous-activity", "anonymization",
      "attribution", "benign", "compromised", "malicious-activity", "unknown")

VOCAB(industry_sector_ov, "industry-sector-ov", OPEN, "10.11", "aerospace", "agriculture",
      "automotive", "chemical", "commercial", "communications", "construction", "dams", "defense",
      "education", "emergency-services", "energy", "engineering", "entertainment",
      "financial-services", "government", "government-local", "government-national",
      "government-public-services", "government-regional", "healthcare", "hospitality-leisure",
      "infrastructure", "insurance", "legal", "manufacturing", "mining", "non-profit", "nuclear",
      "pharmaceuticals", "retail", "technology", "telecommunications", "transportation",
      "utilities", "water")

VOCAB(infrastructure_type_ov, "infrastructure-type-ov", OPEN, "10.12", "amplification",
      "anonymization", "botnet", "command-and-control", "control-system", "exfiltration",
      "firewall", "hosting-malware", "hosting-target-lists", "phishing", "reconnaissance",
      "routers-switches", "staging", "unknown", "workstation")

VOCAB(malware_capabilities_ov, "malware-capabilities-ov", OPEN, "10.13", "accesses-remote-machines",
      "anti-debugging", "anti-disassembly", "anti-emulation", "anti-memory-forensics",
      "anti-sandbox", "anti-vm", "captures-input-peripherals", "captures-output-peripherals",
      "captures-system-state-data", "cleans-traces-of-infection", "commits-fraud",
      "communicates-with-c2", "compromises-data-availability", "compromises-data-integrity",
      "compromises-system-availability", "controls-local-machine", "degrades-security-software",
      "degrades-system-updates", "determines-c2-server", "emails-spam", "escalates-privileges",
      "evades-av", "exfiltrates-data", "fingerprints-host", "hides-artifacts",
      "hides-executing-code", "infects-files", "infects-remote-machines",
      "installs-other-components", "persists-after-system-reboot", "prevents-artifact-access",
      "prevents-artifact-deletion", "probes-network-environment", "self-modifies",
      "steals-authentication-credentials", "violates-system-operational-integrity")

VOCAB(malware_result_ov, "malware-result-ov", OPEN, "10.14", "benign", "malicious", "suspicious",
      "unknown")

VOCAB(malware_type_ov, "malware-type-ov", OPEN, "10.15", "adware", "backdoor", "bootkit", "bot",
      "ddos", "downloader", "dropper", "exploit-kit", "keylogger", "ransomware",
      "remote-access-trojan", "resource-exploitation", "rogue-security-software", "rootkit",
      "screen-capture", "spyware", "trojan", "unknown", "virus", "webshell", "wiper", "worm")

VOCAB(marking_type_ov, "marking-type-ov", OPEN, "7.2.1", "statement", "tlp")

VOCAB(network_socket_address_family_enum, "network-socket-address-family-enum", CLOSED, "10.16",
      "AF_APPLETALK", "AF_BTH", "AF_INET", "AF_INET6", "AF_IPX", "AF_IRDA", "AF_NETBIOS",
      "AF_UNSPEC")

VOCAB(network_socket_type_enum, "network-socket-type-enum", CLOSED, "10.17", "SOCK_DGRAM",
      "SOCK_RAW", "SOCK_RDM", "SOCK_SEQPACKET", "SOCK_STREAM")

VOCAB(opinion_enum, "opinion-enum", CLOSED, "10.18", "agree", "disagree", "neutral",
      "strongly-agree", "strongly-disagree")

VOCAB(pattern_type_ov, "pattern-type-ov", OPEN, "10.19", "pcre", "sigma", "snort", "stix",
      "suricata", "yara")

VOCAB(processor_architecture_ov, "processor-architecture-ov", OPEN, "10.20", "alpha", "arm",
      "ia-64", "mips", "powerpc", "sparc", "x86", "x86-64")

VOCAB(region_ov, "region-ov", OPEN, "10.21", "africa", "americas", "antarctica", "asia",
      "australia-new-zealand", "caribbean", "central-america", "central-asia", "eastern-africa",
      "eastern-asia", "eastern-europe", "europe", "latin-america-caribbean", "melanesia",
      "micronesia", "middle-africa", "northern-africa", "northern-america", "northern-europe",
      "oceania", "polynesia", "south-america", "south-eastern-asia", "southern-africa",
      "southern-asia", "southern-europe", "western-africa", "western-asia", "western-europe")

VOCAB(report_type_ov, "report-type-ov", OPEN, "10.22", "attack-pattern", "campaign", "identity",
      "incident", "indicator", "intrusion-set", "malware", "observed-data", "threat-actor",
      "threat-report", "tool", "vulnerability")

VOCAB(threat_actor_role_ov, "threat-actor-role-ov", OPEN, "10.24", "agent", "director",
      "independent", "infrastructure-architect", "infrastructure-operator", "malware-author",
      "sponsor")

VOCAB(threat_actor_sophistication_ov, "threat-actor-sophistication-ov", OPEN, "10.25", "advanced",
      "expert", "innovator", "intermediate", "minimal", "none", "strategic")

VOCAB(threat_actor_type_ov, "threat-actor-type-ov", OPEN, "10.23", "activist", "competitor",
      "crime-syndicate", "criminal", "hacker", "insider-accidental", "insider-disgruntled",
      "nation-state", "private-sector", "sensationalist", "spy", "terrorist", "unknown")

VOCAB(tool_type_ov, "tool-type-ov", OPEN, "10.26", "credential-exploitation", "denial-of-service",
      "exploitation", "information-gathering", "network-capture", "remote-access", "unknown",
      "vulnerability-scanning")

VOCAB(windows_integrity_level_enum, "windows-integrity-level-enum", CLOSED, "10.27", "high", "low",
      "medium", "system")

VOCAB(windows_pebinary_type_ov, "windows-pebinary-type-ov", OPEN, "10.28", "dll", "exe", "sys")

VOCAB(windows_registry_datatype_enum, "windows-registry-datatype-enum", CLOSED, "10.29",
      "REG_BINARY", "REG_DWORD", "REG_DWORD_BIG_ENDIAN", "REG_DWORD_LITTLE_ENDIAN", "REG_EXPAND_SZ",
      "REG_FULL_RESOURCE_DESCRIPTION", "REG_INVALID_TYPE", "REG_LINK", "REG_MULTI_SZ", "REG_NONE",
      "REG_QWORD", "REG_RESOURCE_LIST", "REG_RESOURCE_REQUIREMENTS_LIST", "REG_SZ")

VOCAB(windows_service_start_type_enum, "windows-service-start-type-enum", CLOSED, "10.30",
      "SERVICE_AUTO_START", "SERVICE_BOOT_START", "SERVICE_DEMAND_START", "SERVICE_DISABLED",
      "SERVICE_SYSTEM_ALERT")

VOCAB(windows_service_status_enum, "windows-service-status-enum", CLOSED, "10.32",
      "SERVICE_CONTINUE_PENDING", "SERVICE_PAUSED", "SERVICE_PAUSE_PENDING", "SERVICE_RUNNING",
      "SERVICE_START_PENDING", "SERVICE_STOPPED", "SERVICE_STOP_PENDING")

VOCAB(windows_service_type_enum, "windows-service-type-enum", CLOSED, "10.31",
      "SERVICE_FILE_SYSTEM_DRIVER", "SERVICE_KERNEL_DRIVER", "SERVICE_WIN32_OWN_PROCESS",
      "SERVICE_WIN32_SHARE_PROCESS")

const struct stix_vocab *const stix_vocabs[] = {
    &stix_account_type_ov,
    &stix_attack_motivation_ov,
    &stix_attack_resource_level_ov,
    &stix_encryption_algorithm_enum,
    &stix_extension_type_enum,
    &stix_grouping_context_ov,
    &stix_hash_algorithm_ov,
    &stix_identity_class_ov,
    &stix_implementation_language_ov,
    &stix_indicator_type_ov,
    &stix_industry_sector_ov,
    &stix_infrastructure_type_ov,
    &stix_malware_capabilities_ov,
    &stix_malware_result_ov,
    &stix_malware_type_ov,
    &stix_marking_type_ov,
    &stix_network_socket_address_family_enum,
    &stix_network_socket_type_enum,
    &stix_opinion_enum,
    &stix_pattern_type_ov,
    &stix_processor_architecture_ov,
    &stix_region_ov,
    &stix_report_type_ov,
    &stix_threat_actor_role_ov,
    &stix_threat_actor_sophistication_ov,
    &stix_threat_actor_type_ov,
    &stix_tool_type_ov,
    &stix_windows_integrity_level_enum,
    &stix_windows_pebinary_type_ov,
    &stix_windows_registry_datatype_enum,
    &stix_windows_service_start_type_enum,
    &stix_windows_service_status_enum,
    &stix_windows_service_type_enum,
};
const size_t stix_vocab_count = sizeof(stix_vocabs) / sizeof(stix_vocabs[0]);

bool
stix_vocab_has(const struct stix_vocab *v, struct span word)
{
    size_t low = 0, high = v->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = span_cmp(word, span_of(v->words[mid]));
        if (c == 0)
            return true;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return false;
}
