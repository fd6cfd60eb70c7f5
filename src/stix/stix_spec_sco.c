/* stix/stix_spec_sco.c - cyber-observable objects: STIX 2.1 section 6. */
#include "stix_rules.h"
#include "stix_spec.h"
#include "stix_table.h"

static const struct stix_range not_negative = {0, STIX_INT_MAX};
static const struct stix_range port = {0, 65535};

static const struct stix_prop props_email_mime_part[] = {
    STR("body", OPT),
    REF("body_raw_ref", OPT, STIX_BIT(STIX_ARTIFACT) | STIX_BIT(STIX_FILE)),
    STR("content_disposition", OPT),
    STR("content_type", OPT),
};
static const char *const any_of_email_mime_part[] = {"body", "body_raw_ref", NULL};
static const struct stix_shape email_mime_part = {
    .clause = "STIX 2.1 section 6.6.2",
    .props = props_email_mime_part,
    .count = COUNT(props_email_mime_part),
    .any_of = any_of_email_mime_part,
};

static const struct stix_prop props_registry_value[] = {
    STR("data", OPT),
    WORD("data_type", OPT, &stix_windows_registry_datatype_enum),
    STR("name", OPT),
};
static const struct stix_shape registry_value = {
    .clause = "STIX 2.1 section 6.17.2",
    .props = props_registry_value,
    .count = COUNT(props_registry_value),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_x509_v3_extensions[] = {
    STR("authority_key_identifier", OPT),
    STR("basic_constraints", OPT),
    STR("certificate_policies", OPT),
    STR("crl_distribution_points", OPT),
    STR("extended_key_usage", OPT),
    STR("inhibit_any_policy", OPT),
    STR("issuer_alternative_name", OPT),
    STR("key_usage", OPT),
    STR("name_constraints", OPT),
    STR("policy_constraints", OPT),
    STR("policy_mappings", OPT),
    TIME("private_key_usage_period_not_after", OPT),
    TIME("private_key_usage_period_not_before", OPT),
    STR("subject_alternative_name", OPT),
    STR("subject_directory_attributes", OPT),
    STR("subject_key_identifier", OPT),
};
static const struct stix_shape x509_v3_extensions = {
    .clause = "STIX 2.1 section 6.18.2",
    .props = props_x509_v3_extensions,
    .count = COUNT(props_x509_v3_extensions),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_sco_artifact[] = {
    STR("decryption_key", OPT), WORD("encryption_algorithm", OPT, &stix_encryption_algorithm_enum),
    HASHES("hashes", OPT),      SYNTAX("mime_type", OPT, &stix_syntax_mime),
    BINARY("payload_bin", OPT), SYNTAX("url", OPT, &stix_syntax_url),
};
static const char *const any_of_sco_artifact[] = {"payload_bin", "url", NULL};
const struct stix_shape stix_sco_artifact = {
    .clause = "STIX 2.1 section 6.1",
    .props = props_sco_artifact,
    .count = COUNT(props_sco_artifact),
    .any_of = any_of_sco_artifact,
    .rule = stix_rule_artifact,
};

static const struct stix_prop props_sco_autonomous_system[] = {
    STR("name", OPT),
    INT("number", REQ, &not_negative),
    STR("rir", OPT),
};
const struct stix_shape stix_sco_autonomous_system = {
    .clause = "STIX 2.1 section 6.2",
    .props = props_sco_autonomous_system,
    .count = COUNT(props_sco_autonomous_system),
};

static const struct stix_prop props_sco_directory[] = {
    TIME("atime", OPT), REF("contains_refs", LIST, STIX_BIT(STIX_FILE) | STIX_BIT(STIX_DIRECTORY)),
    TIME("ctime", OPT), TIME("mtime", OPT),
    STR("path", REQ),   STR("path_enc", OPT),
};
const struct stix_shape stix_sco_directory = {
    .clause = "STIX 2.1 section 6.3",
    .props = props_sco_directory,
    .count = COUNT(props_sco_directory),
};

static const struct stix_prop props_sco_domain_name[] = {
    REF("resolves_to_refs", LIST,
        STIX_BIT(STIX_IPV4_ADDR) | STIX_BIT(STIX_IPV6_ADDR) | STIX_BIT(STIX_DOMAIN_NAME)),
    SYNTAX("value", REQ, &stix_syntax_domain),
};
const struct stix_shape stix_sco_domain_name = {
    .clause = "STIX 2.1 section 6.4",
    .props = props_sco_domain_name,
    .count = COUNT(props_sco_domain_name),
};

static const struct stix_prop props_sco_email_addr[] = {
    REF("belongs_to_ref", OPT, STIX_BIT(STIX_USER_ACCOUNT)),
    STR("display_name", OPT),
    SYNTAX("value", REQ, &stix_syntax_email),
};
const struct stix_shape stix_sco_email_addr = {
    .clause = "STIX 2.1 section 6.5",
    .props = props_sco_email_addr,
    .count = COUNT(props_sco_email_addr),
};

static const struct stix_prop props_sco_email_message[] = {
    DICT("additional_header_fields", OPT, STIX_DICT_STRINGS),
    REF("bcc_refs", LIST, STIX_BIT(STIX_EMAIL_ADDR)),
    STR("body", OPT),
    SHAPE("body_multipart", LIST, &email_mime_part),
    REF("cc_refs", LIST, STIX_BIT(STIX_EMAIL_ADDR)),
    STR("content_type", OPT),
    TIME("date", OPT),
    REF("from_ref", OPT, STIX_BIT(STIX_EMAIL_ADDR)),
    BOOL("is_multipart", REQ),
    STR("message_id", OPT),
    REF("raw_email_ref", OPT, STIX_BIT(STIX_ARTIFACT)),
    STR("received_lines", LIST),
    REF("sender_ref", OPT, STIX_BIT(STIX_EMAIL_ADDR)),
    STR("subject", OPT),
    REF("to_refs", LIST, STIX_BIT(STIX_EMAIL_ADDR)),
};
const struct stix_shape stix_sco_email_message = {
    .clause = "STIX 2.1 section 6.6",
    .props = props_sco_email_message,
    .count = COUNT(props_sco_email_message),
    .rule = stix_rule_email_message,
};

static const struct stix_prop props_sco_file[] = {
    TIME("atime", OPT),
    REF("contains_refs", LIST, STIX_SET_SCO | STIX_SET_OTHER),
    REF("content_ref", OPT, STIX_BIT(STIX_ARTIFACT)),
    TIME("ctime", OPT),
    HASHES("hashes", OPT),
    HEX("magic_number_hex", OPT),
    SYNTAX("mime_type", OPT, &stix_syntax_mime),
    TIME("mtime", OPT),
    STR("name", OPT),
    STR("name_enc", OPT),
    REF("parent_directory_ref", OPT, STIX_BIT(STIX_DIRECTORY)),
    INT("size", OPT, &not_negative),
};
static const char *const any_of_sco_file[] = {"hashes", "name", NULL};
const struct stix_shape stix_sco_file = {
    .clause = "STIX 2.1 section 6.7",
    .props = props_sco_file,
    .count = COUNT(props_sco_file),
    .any_of = any_of_sco_file,
    .rule = stix_rule_name_enc,
};

static const struct stix_prop props_sco_ipv4_addr[] = {
    REF("belongs_to_refs", LIST, STIX_BIT(STIX_AUTONOMOUS_SYSTEM)),
    REF("resolves_to_refs", LIST, STIX_BIT(STIX_MAC_ADDR)),
    SYNTAX("value", REQ, &stix_syntax_ipv4),
};
const struct stix_shape stix_sco_ipv4_addr = {
    .clause = "STIX 2.1 section 6.8",
    .props = props_sco_ipv4_addr,
    .count = COUNT(props_sco_ipv4_addr),
};

static const struct stix_prop props_sco_ipv6_addr[] = {
    REF("belongs_to_refs", LIST, STIX_BIT(STIX_AUTONOMOUS_SYSTEM)),
    REF("resolves_to_refs", LIST, STIX_BIT(STIX_MAC_ADDR)),
    SYNTAX("value", REQ, &stix_syntax_ipv6),
};
const struct stix_shape stix_sco_ipv6_addr = {
    .clause = "STIX 2.1 section 6.9",
    .props = props_sco_ipv6_addr,
    .count = COUNT(props_sco_ipv6_addr),
};

static const struct stix_prop props_sco_mac_addr[] = {
    SYNTAX("value", REQ, &stix_syntax_mac),
};
const struct stix_shape stix_sco_mac_addr = {
    .clause = "STIX 2.1 section 6.10",
    .props = props_sco_mac_addr,
    .count = COUNT(props_sco_mac_addr),
};

static const struct stix_prop props_sco_mutex[] = {
    STR("name", REQ),
};
const struct stix_shape stix_sco_mutex = {
    .clause = "STIX 2.1 section 6.11",
    .props = props_sco_mutex,
    .count = COUNT(props_sco_mutex),
};

static const struct stix_prop props_sco_network_traffic[] = {
    INT("dst_byte_count", OPT, &not_negative),
    INT("dst_packets", OPT, &not_negative),
    REF("dst_payload_ref", OPT, STIX_BIT(STIX_ARTIFACT)),
    INT("dst_port", OPT, &port),
    REF("dst_ref", OPT,
        STIX_BIT(STIX_IPV4_ADDR) | STIX_BIT(STIX_IPV6_ADDR) | STIX_BIT(STIX_MAC_ADDR) |
            STIX_BIT(STIX_DOMAIN_NAME)),
    REF("encapsulated_by_ref", OPT, STIX_BIT(STIX_NETWORK_TRAFFIC)),
    REF("encapsulates_refs", LIST, STIX_BIT(STIX_NETWORK_TRAFFIC)),
    TIME("end", OPT),
    DICT("ipfix", OPT, STIX_DICT_INT_OR_STRING),
    BOOL("is_active", OPT),
    STR("protocols", REQ | LIST),
    INT("src_byte_count", OPT, &not_negative),
    INT("src_packets", OPT, &not_negative),
    REF("src_payload_ref", OPT, STIX_BIT(STIX_ARTIFACT)),
    INT("src_port", OPT, &port),
    REF("src_ref", OPT,
        STIX_BIT(STIX_IPV4_ADDR) | STIX_BIT(STIX_IPV6_ADDR) | STIX_BIT(STIX_MAC_ADDR) |
            STIX_BIT(STIX_DOMAIN_NAME)),
    TIME("start", OPT),
};
static const struct stix_order order_sco_network_traffic[] = {
    {"start", "end", false},
};
static const char *const any_of_sco_network_traffic[] = {"src_ref", "dst_ref", NULL};
const struct stix_shape stix_sco_network_traffic = {
    .clause = "STIX 2.1 section 6.12",
    .props = props_sco_network_traffic,
    .count = COUNT(props_sco_network_traffic),
    .order = order_sco_network_traffic,
    .order_count = COUNT(order_sco_network_traffic),
    .any_of = any_of_sco_network_traffic,
    .rule = stix_rule_network_traffic,
};

static const struct stix_prop props_sco_process[] = {
    REF("child_refs", LIST, STIX_BIT(STIX_PROCESS)),
    STR("command_line", OPT),
    TIME("created_time", OPT),
    REF("creator_user_ref", OPT, STIX_BIT(STIX_USER_ACCOUNT)),
    STR("cwd", OPT),
    DICT("environment_variables", OPT, STIX_DICT_STRING),
    REF("image_ref", OPT, STIX_BIT(STIX_FILE)),
    BOOL("is_hidden", OPT),
    REF("opened_connection_refs", LIST, STIX_BIT(STIX_NETWORK_TRAFFIC)),
    REF("parent_ref", OPT, STIX_BIT(STIX_PROCESS)),
    INT("pid", OPT, NULL),
};
const struct stix_shape stix_sco_process = {
    .clause = "STIX 2.1 section 6.13",
    .props = props_sco_process,
    .count = COUNT(props_sco_process),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_sco_software[] = {
    SYNTAX("cpe", OPT, &stix_syntax_cpe),
    SYNTAX("languages", LIST, &stix_syntax_lang),
    STR("name", REQ),
    STR("swid", OPT),
    STR("vendor", OPT),
    STR("version", OPT),
};
const struct stix_shape stix_sco_software = {
    .clause = "STIX 2.1 section 6.14",
    .props = props_sco_software,
    .count = COUNT(props_sco_software),
};

static const struct stix_prop props_sco_url[] = {
    SYNTAX("value", REQ, &stix_syntax_url),
};
const struct stix_shape stix_sco_url = {
    .clause = "STIX 2.1 section 6.15",
    .props = props_sco_url,
    .count = COUNT(props_sco_url),
};

static const struct stix_prop props_sco_user_account[] = {
    TIME("account_created", OPT),
    TIME("account_expires", OPT),
    TIME("account_first_login", OPT),
    TIME("account_last_login", OPT),
    STR("account_login", OPT),
    WORD("account_type", OPT, &stix_account_type_ov),
    BOOL("can_escalate_privs", OPT),
    STR("credential", OPT),
    TIME("credential_last_changed", OPT),
    STR("display_name", OPT),
    BOOL("is_disabled", OPT),
    BOOL("is_privileged", OPT),
    BOOL("is_service_account", OPT),
    STR("user_id", OPT),
};
const struct stix_shape stix_sco_user_account = {
    .clause = "STIX 2.1 section 6.16",
    .props = props_sco_user_account,
    .count = COUNT(props_sco_user_account),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_sco_windows_registry_key[] = {
    REF("creator_user_ref", OPT, STIX_BIT(STIX_USER_ACCOUNT)),
    SYNTAX("key", OPT, &stix_syntax_registry_key),
    TIME("modified_time", OPT),
    INT("number_of_subkeys", OPT, &not_negative),
    SHAPE("values", LIST, &registry_value),
};
const struct stix_shape stix_sco_windows_registry_key = {
    .clause = "STIX 2.1 section 6.17",
    .props = props_sco_windows_registry_key,
    .count = COUNT(props_sco_windows_registry_key),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_sco_x509_certificate[] = {
    HASHES("hashes", OPT),
    BOOL("is_self_signed", OPT),
    STR("issuer", OPT),
    STR("serial_number", OPT),
    STR("signature_algorithm", OPT),
    STR("subject", OPT),
    STR("subject_public_key_algorithm", OPT),
    INT("subject_public_key_exponent", OPT, NULL),
    STR("subject_public_key_modulus", OPT),
    TIME("validity_not_after", OPT),
    TIME("validity_not_before", OPT),
    STR("version", OPT),
    SHAPE("x509_v3_extensions", OPT, &x509_v3_extensions),
};
const struct stix_shape stix_sco_x509_certificate = {
    .clause = "STIX 2.1 section 6.18",
    .props = props_sco_x509_certificate,
    .count = COUNT(props_sco_x509_certificate),
    .need = STIX_NEED_ANY,
};
