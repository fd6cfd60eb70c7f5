/* stix/stix_spec.c - all types of STIX 2.1, and the relationships that it defines between them. */
#include "stix_spec.h"

#include <string.h>
#include "stix_table.h"

/* What an SCO's deterministic id is made from: STIX 2.1 section 6, "ID Contributing Properties". */
static const char *const from_value[] = {"value", NULL};
static const char *const from_name[] = {"name", NULL};
static const char *const from_number[] = {"number", NULL};
static const char *const from_path[] = {"path", NULL};
static const char *const from_artifact[] = {"hashes", "payload_bin", NULL};
static const char *const from_email_message[] = {"body", "from_ref", "subject", NULL};
static const char *const from_file[] = {"extensions", "hashes", "name", "parent_directory_ref",
                                        NULL};
static const char *const from_network_traffic[] = {
    "dst_port", "dst_ref", "end", "extensions", "protocols", "src_port", "src_ref", "start", NULL};
static const char *const from_software[] = {"cpe", "name", "swid", "vendor", "version", NULL};
static const char *const from_user_account[] = {"account_login", "account_type", "user_id", NULL};
static const char *const from_registry_key[] = {"key", "values", NULL};
static const char *const from_certificate[] = {"hashes", "serial_number", NULL};
static const char *const from_nothing[] = {NULL};

#define SDO(n, id)                                                                                 \
    {                                                                                              \
        n, sizeof(n) - 1, STIX_SDO, &stix_common_core, &stix_sdo_##id, NULL, NULL                  \
    }
#define SRO(n, id)                                                                                 \
    {                                                                                              \
        n, sizeof(n) - 1, STIX_SRO, &stix_common_core, &stix_sro_##id, NULL, NULL                  \
    }
#define SCO(n, id, x, fr)                                                                          \
    {                                                                                              \
        n, sizeof(n) - 1, STIX_SCO, &stix_common_sco, &stix_sco_##id, x, fr                        \
    }
#define META(n, common, id)                                                                        \
    {                                                                                              \
        n, sizeof(n) - 1, STIX_META, &stix_common_##common, &stix_meta_##id, NULL, NULL            \
    }

const struct stix_type stix_types[STIX_TYPES] = {
    SCO("artifact", artifact, NULL, from_artifact),
    SDO("attack-pattern", attack_pattern),
    SCO("autonomous-system", autonomous_system, NULL, from_number),
    {"bundle", 6, STIX_BUNDLE, &stix_common_bundle, &stix_meta_bundle, NULL, NULL},
    SDO("campaign", campaign),
    SDO("course-of-action", course_of_action),
    SCO("directory", directory, NULL, from_path),
    SCO("domain-name", domain_name, NULL, from_value),
    SCO("email-addr", email_addr, NULL, from_value),
    SCO("email-message", email_message, NULL, from_email_message),
    META("extension-definition", extension, extension_definition),
    SCO("file", file, stix_exts_file, from_file),
    SDO("grouping", grouping),
    SDO("identity", identity),
    SDO("incident", incident),
    SDO("indicator", indicator),
    SDO("infrastructure", infrastructure),
    SDO("intrusion-set", intrusion_set),
    SCO("ipv4-addr", ipv4_addr, NULL, from_value),
    SCO("ipv6-addr", ipv6_addr, NULL, from_value),
    META("language-content", language, language_content),
    SDO("location", location),
    SCO("mac-addr", mac_addr, NULL, from_value),
    SDO("malware", malware),
    SDO("malware-analysis", malware_analysis),
    META("marking-definition", marking, marking_definition),
    SCO("mutex", mutex, NULL, from_name),
    SCO("network-traffic", network_traffic, stix_exts_network_traffic, from_network_traffic),
    SDO("note", note),
    SDO("observed-data", observed_data),
    SDO("opinion", opinion),
    SCO("process", process, stix_exts_process, from_nothing),
    SRO("relationship", relationship),
    SDO("report", report),
    SRO("sighting", sighting),
    SCO("software", software, NULL, from_software),
    SDO("threat-actor", threat_actor),
    SDO("tool", tool),
    SCO("url", url, NULL, from_value),
    SCO("user-account", user_account, stix_exts_user_account, from_user_account),
    SDO("vulnerability", vulnerability),
    SCO("windows-registry-key", windows_registry_key, NULL, from_registry_key),
    SCO("x509-certificate", x509_certificate, NULL, from_certificate),
};

enum stix_type_no
stix_type_find(struct span name)
{
    size_t low = 0, high = STIX_TYPES;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct stix_type *t = &stix_types[mid];
        size_t n = name.n < t->len ? name.n : t->len;
        int c = n != 0 ? memcmp(name.p, t->name, n) : 0;
        if (c == 0)
            c = name.n < t->len ? -1 : name.n > t->len;
        if (c == 0)
            return (enum stix_type_no)mid;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return STIX_TYPE_OTHER;
}

enum stix_class
stix_class_of(struct span type)
{
    enum stix_type_no t = stix_type_find(type);
    return t == STIX_TYPE_OTHER ? STIX_CUSTOM : (enum stix_class)stix_types[t].class;
}

const char *
stix_class_name(enum stix_class c)
{
    static const char *const names[] = {"custom", "sdo", "sro", "sco", "meta", "bundle"};
    return (unsigned)c < sizeof(names) / sizeof(names[0]) ? names[c] : "custom";
}

#define TO_1(a)          STIX_BIT(STIX_##a)
#define TO_2(a, b)       (TO_1(a) | TO_1(b))
#define TO_3(a, b, c)    (TO_2(a, b) | TO_1(c))
#define TO_4(a, b, c, d) (TO_2(a, b) | TO_2(c, d))
#define TO_VICTIM        TO_3(IDENTITY, LOCATION, VULNERABILITY)
#define TO_MEANS         TO_4(ATTACK_PATTERN, INFRASTRUCTURE, MALWARE, TOOL)

const struct stix_relation stix_relations[] = {
    {STIX_ATTACK_PATTERN, "delivers", TO_1(MALWARE)},
    {STIX_ATTACK_PATTERN, "targets", TO_VICTIM},
    {STIX_ATTACK_PATTERN, "uses", TO_2(MALWARE, TOOL)},
    {STIX_CAMPAIGN, "attributed-to", TO_2(INTRUSION_SET, THREAT_ACTOR)},
    {STIX_CAMPAIGN, "compromises", TO_1(INFRASTRUCTURE)},
    {STIX_CAMPAIGN, "originates-from", TO_1(LOCATION)},
    {STIX_CAMPAIGN, "targets", TO_VICTIM},
    {STIX_CAMPAIGN, "uses", TO_MEANS},
    {STIX_COURSE_OF_ACTION, "investigates", TO_1(INDICATOR)},
    {STIX_COURSE_OF_ACTION, "mitigates",
     TO_4(ATTACK_PATTERN, INDICATOR, MALWARE, TOOL) | TO_1(VULNERABILITY)},
    {STIX_COURSE_OF_ACTION, "remediates", TO_2(MALWARE, VULNERABILITY)},
    {STIX_DOMAIN_NAME, "resolves-to", TO_3(DOMAIN_NAME, IPV4_ADDR, IPV6_ADDR)},
    {STIX_IDENTITY, "located-at", TO_1(LOCATION)},
    {STIX_INDICATOR, "based-on", TO_1(OBSERVED_DATA)},
    {STIX_INDICATOR, "indicates", TO_MEANS | TO_3(CAMPAIGN, INTRUSION_SET, THREAT_ACTOR)},
    {STIX_INFRASTRUCTURE, "communicates-with",
     TO_4(IPV4_ADDR, IPV6_ADDR, DOMAIN_NAME, URL) | TO_1(INFRASTRUCTURE)},
    {STIX_INFRASTRUCTURE, "consists-of",
     TO_2(INFRASTRUCTURE, OBSERVED_DATA) | STIX_SET_SCO | STIX_SET_OTHER},
    {STIX_INFRASTRUCTURE, "controls", TO_2(INFRASTRUCTURE, MALWARE)},
    {STIX_INFRASTRUCTURE, "delivers", TO_1(MALWARE)},
    {STIX_INFRASTRUCTURE, "has", TO_1(VULNERABILITY)},
    {STIX_INFRASTRUCTURE, "hosts", TO_2(MALWARE, TOOL)},
    {STIX_INFRASTRUCTURE, "located-at", TO_1(LOCATION)},
    {STIX_INFRASTRUCTURE, "uses", TO_1(INFRASTRUCTURE)},
    {STIX_INTRUSION_SET, "attributed-to", TO_1(THREAT_ACTOR)},
    {STIX_INTRUSION_SET, "compromises", TO_1(INFRASTRUCTURE)},
    {STIX_INTRUSION_SET, "hosts", TO_1(INFRASTRUCTURE)},
    {STIX_INTRUSION_SET, "originates-from", TO_1(LOCATION)},
    {STIX_INTRUSION_SET, "owns", TO_1(INFRASTRUCTURE)},
    {STIX_INTRUSION_SET, "targets", TO_VICTIM},
    {STIX_INTRUSION_SET, "uses", TO_MEANS},
    {STIX_IPV4_ADDR, "belongs-to", TO_1(AUTONOMOUS_SYSTEM)},
    {STIX_IPV4_ADDR, "resolves-to", TO_1(MAC_ADDR)},
    {STIX_IPV6_ADDR, "belongs-to", TO_1(AUTONOMOUS_SYSTEM)},
    {STIX_IPV6_ADDR, "resolves-to", TO_1(MAC_ADDR)},
    {STIX_MALWARE, "authored-by", TO_2(INTRUSION_SET, THREAT_ACTOR)},
    {STIX_MALWARE, "beacons-to", TO_1(INFRASTRUCTURE)},
    {STIX_MALWARE, "communicates-with", TO_4(IPV4_ADDR, IPV6_ADDR, DOMAIN_NAME, URL)},
    {STIX_MALWARE, "controls", TO_1(MALWARE)},
    {STIX_MALWARE, "downloads", TO_3(FILE, MALWARE, TOOL)},
    {STIX_MALWARE, "drops", TO_3(FILE, MALWARE, TOOL)},
    {STIX_MALWARE, "exfiltrates-to", TO_1(INFRASTRUCTURE)},
    {STIX_MALWARE, "exploits", TO_1(VULNERABILITY)},
    {STIX_MALWARE, "originates-from", TO_1(LOCATION)},
    {STIX_MALWARE, "targets", TO_VICTIM | TO_1(INFRASTRUCTURE)},
    {STIX_MALWARE, "uses", TO_MEANS},
    {STIX_MALWARE, "variant-of", TO_1(MALWARE)},
    {STIX_MALWARE_ANALYSIS, "analysis-of", TO_1(MALWARE)},
    {STIX_MALWARE_ANALYSIS, "av-analysis-of", TO_1(MALWARE)},
    {STIX_MALWARE_ANALYSIS, "characterizes", TO_1(MALWARE)},
    {STIX_MALWARE_ANALYSIS, "dynamic-analysis-of", TO_1(MALWARE)},
    {STIX_MALWARE_ANALYSIS, "static-analysis-of", TO_1(MALWARE)},
    {STIX_THREAT_ACTOR, "attributed-to", TO_1(IDENTITY)},
    {STIX_THREAT_ACTOR, "compromises", TO_1(INFRASTRUCTURE)},
    {STIX_THREAT_ACTOR, "hosts", TO_1(INFRASTRUCTURE)},
    {STIX_THREAT_ACTOR, "impersonates", TO_1(IDENTITY)},
    {STIX_THREAT_ACTOR, "located-at", TO_1(LOCATION)},
    {STIX_THREAT_ACTOR, "owns", TO_1(INFRASTRUCTURE)},
    {STIX_THREAT_ACTOR, "targets", TO_VICTIM},
    {STIX_THREAT_ACTOR, "uses", TO_MEANS},
    {STIX_TOOL, "delivers", TO_1(MALWARE)},
    {STIX_TOOL, "drops", TO_1(MALWARE)},
    {STIX_TOOL, "has", TO_1(VULNERABILITY)},
    {STIX_TOOL, "targets", TO_VICTIM | TO_1(INFRASTRUCTURE)},
    {STIX_TOOL, "uses", TO_1(INFRASTRUCTURE)},
};
const size_t stix_relation_count = sizeof(stix_relations) / sizeof(stix_relations[0]);
