/*
 * stix/stix_spec.h - STIX 2.1 as tables: types, properties, vocabularies, relationships.
 *
 * stix_check walks an object and its tables side by side: members and tables are both sorted by
 * name.  A new type or property is a new line.  The text is that of the OASIS Standard of 2021 with
 * Errata 01; where the two differ the older, wider one counts, and so does what the JSON schemas
 * of OASIS allow.
 */
#ifndef JAGA_STIX_STIX_SPEC_H
#define JAGA_STIX_STIX_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "json.h"
#include "span.h"
#include "stix_check.h"
#include "stix_object.h"

/* In the order of their names: stix_types is searched by halves. */
enum stix_type_no {
    STIX_ARTIFACT,
    STIX_ATTACK_PATTERN,
    STIX_AUTONOMOUS_SYSTEM,
    STIX_BUNDLE_TYPE,
    STIX_CAMPAIGN,
    STIX_COURSE_OF_ACTION,
    STIX_DIRECTORY,
    STIX_DOMAIN_NAME,
    STIX_EMAIL_ADDR,
    STIX_EMAIL_MESSAGE,
    STIX_EXTENSION_DEFINITION,
    STIX_FILE,
    STIX_GROUPING,
    STIX_IDENTITY,
    STIX_INCIDENT,
    STIX_INDICATOR,
    STIX_INFRASTRUCTURE,
    STIX_INTRUSION_SET,
    STIX_IPV4_ADDR,
    STIX_IPV6_ADDR,
    STIX_LANGUAGE_CONTENT,
    STIX_LOCATION,
    STIX_MAC_ADDR,
    STIX_MALWARE,
    STIX_MALWARE_ANALYSIS,
    STIX_MARKING_DEFINITION,
    STIX_MUTEX,
    STIX_NETWORK_TRAFFIC,
    STIX_NOTE,
    STIX_OBSERVED_DATA,
    STIX_OPINION,
    STIX_PROCESS,
    STIX_RELATIONSHIP,
    STIX_REPORT,
    STIX_SIGHTING,
    STIX_SOFTWARE,
    STIX_THREAT_ACTOR,
    STIX_TOOL,
    STIX_URL,
    STIX_USER_ACCOUNT,
    STIX_VULNERABILITY,
    STIX_WINDOWS_REGISTRY_KEY,
    STIX_X509_CERTIFICATE,
    STIX_TYPES,
    STIX_TYPE_OTHER = 63 /* every type that is not in the standard */
};

/* A set of types. */
#define STIX_BIT(t)  (UINT64_C(1) << (t))
#define STIX_SET_SRO (STIX_BIT(STIX_RELATIONSHIP) | STIX_BIT(STIX_SIGHTING))
#define STIX_SET_SCO                                                                               \
    (STIX_BIT(STIX_ARTIFACT) | STIX_BIT(STIX_AUTONOMOUS_SYSTEM) | STIX_BIT(STIX_DIRECTORY) |       \
     STIX_BIT(STIX_DOMAIN_NAME) | STIX_BIT(STIX_EMAIL_ADDR) | STIX_BIT(STIX_EMAIL_MESSAGE) |       \
     STIX_BIT(STIX_FILE) | STIX_BIT(STIX_IPV4_ADDR) | STIX_BIT(STIX_IPV6_ADDR) |                   \
     STIX_BIT(STIX_MAC_ADDR) | STIX_BIT(STIX_MUTEX) | STIX_BIT(STIX_NETWORK_TRAFFIC) |             \
     STIX_BIT(STIX_PROCESS) | STIX_BIT(STIX_SOFTWARE) | STIX_BIT(STIX_URL) |                       \
     STIX_BIT(STIX_USER_ACCOUNT) | STIX_BIT(STIX_WINDOWS_REGISTRY_KEY) |                           \
     STIX_BIT(STIX_X509_CERTIFICATE))
#define STIX_SET_META                                                                              \
    (STIX_BIT(STIX_EXTENSION_DEFINITION) | STIX_BIT(STIX_LANGUAGE_CONTENT) |                       \
     STIX_BIT(STIX_MARKING_DEFINITION))
#define STIX_SET_ALL   (STIX_BIT(STIX_TYPES) - 1)
#define STIX_SET_OTHER STIX_BIT(STIX_TYPE_OTHER)
#define STIX_SET_SDO                                                                               \
    (STIX_SET_ALL & ~(STIX_SET_SRO | STIX_SET_SCO | STIX_SET_META | STIX_BIT(STIX_BUNDLE_TYPE)))
#define STIX_SET_IDENTITY STIX_BIT(STIX_IDENTITY)
#define STIX_SET_MARKING  STIX_BIT(STIX_MARKING_DEFINITION)
/* What a reference of no particular kind may name. */
#define STIX_SET_OBJECT ((STIX_SET_ALL & ~STIX_BIT(STIX_BUNDLE_TYPE)) | STIX_SET_OTHER)

struct stix_vocab {
    const char *name;         /* "indicator-type-ov" */
    const char *const *words; /* sorted */
    uint16_t count;
    bool closed; /* an enumeration: other values break a must-rule */
    const char *clause;
};

/* A string with a syntax of its own. */
struct stix_syntax {
    const char *rule;
    enum stix_severity severity;
    const char *clause;
    const char *text; /* what is wrong where ok says false */
    bool (*ok)(struct span s);
};

enum stix_kind {
    STIX_K_ANY, /* whatever is no null and holds none */
    STIX_K_STRING,
    STIX_K_BOOL,
    STIX_K_INT,    /* of.range or NULL */
    STIX_K_NUMBER, /* of.range or NULL */
    STIX_K_TIME,
    STIX_K_TIME_MS, /* with milliseconds or finer */
    STIX_K_REF,     /* of.types: which types it may name */
    STIX_K_VOCAB,   /* of.vocab */
    STIX_K_SYNTAX,  /* of.syntax */
    STIX_K_BINARY,
    STIX_K_HEX,
    STIX_K_HASHES,
    STIX_K_DICT,       /* of.dict: what its values are */
    STIX_K_SHAPE,      /* of.shape */
    STIX_K_EXTENSIONS, /* the extensions of the object */
    STIX_K_CONTAINER   /* observed-data's deprecated objects */
};

enum stix_flag {
    STIX_F_REQUIRED = 1,
    STIX_F_LIST = 2,
    STIX_F_DEPRECATED = 4,
    STIX_F_FORBIDDEN = 8,       /* must not be present (defanged but on SCOs; reserved names) */
    STIX_F_NOT_APPLICABLE = 16, /* a common property that this class does not use */
    STIX_F_DONE = 32            /* judged when the head was read */
};

enum stix_dict_of {
    STIX_DICT_ANY,
    STIX_DICT_STRING,
    STIX_DICT_INT,
    STIX_DICT_INT_OR_STRING,
    STIX_DICT_STRINGS /* lists of strings */
};

#define STIX_INT_MAX 9007199254740991.0 /* 2^53-1, STIX 2.1 section 2.10 */

struct stix_range {
    double min;
    double max;
};

struct stix_shape;

struct stix_prop {
    const char *name;
    uint8_t len;
    uint8_t kind;  /* enum stix_kind */
    uint8_t flags; /* enum stix_flag */
    union {
        const struct stix_range *range;
        const struct stix_vocab *vocab;
        const struct stix_syntax *syntax;
        const struct stix_shape *shape;
        uint64_t types;
        enum stix_dict_of dict;
    } of;
};

/* later must not lie before earlier; with strict it must lie after it. */
struct stix_order {
    const char *earlier;
    const char *later;
    bool strict;
};

struct stix_check_state;

enum stix_need {
    STIX_NEED_NOTHING,
    STIX_NEED_ANY,  /* at least one property of its own table */
    STIX_NEED_OTHER /* at least one that is not required */
};

/* An object, or a part of one, with properties of its own. */
struct stix_shape {
    const char *clause;
    const struct stix_prop *props; /* sorted by name */
    uint16_t count;
    uint16_t order_count;
    enum stix_need need;
    const struct stix_order *order;
    const char *const *any_of; /* at least one of these; NULL-terminated; NULL: no such rule */
    /* Rules between fields that no table can say; NULL: none. */
    void (*rule)(struct stix_check_state *c, const struct json *o);
};

/* A predefined extension of an SCO, and its key. */
struct stix_ext {
    const char *key;
    const struct stix_shape *shape;
};

struct stix_type {
    const char *name;
    uint8_t len;
    uint8_t class; /* enum stix_class */
    const struct stix_shape *common;
    const struct stix_shape *shape;
    const struct stix_ext *exts; /* key NULL ends it; NULL: none */
    const char *const *id_from;  /* sorted; what makes up an SCO's id; NULL: none */
};

extern const struct stix_type stix_types[STIX_TYPES];

/* Its place in stix_types, or STIX_TYPE_OTHER. */
enum stix_type_no stix_type_find(struct span name);

bool stix_vocab_has(const struct stix_vocab *v, struct span word);

/* Relationships that the standard defines (its Appendix B). */
struct stix_relation {
    uint8_t source; /* enum stix_type_no */
    const char *name;
    uint64_t targets;
};
extern const struct stix_relation stix_relations[];
extern const size_t stix_relation_count;

/* The tables, by the file that holds them. */
extern const struct stix_shape stix_common_core; /* of SDOs and SROs */
extern const struct stix_shape stix_common_sco;
extern const struct stix_shape stix_common_bundle;
extern const struct stix_shape stix_common_language;
extern const struct stix_shape stix_common_marking;
extern const struct stix_shape stix_common_extension;
extern const struct stix_shape stix_shape_external_reference;
extern const struct stix_shape stix_shape_kill_chain_phase;
extern const struct stix_shape stix_shape_granular_marking;

extern const struct stix_shape stix_sdo_attack_pattern, stix_sdo_campaign,
    stix_sdo_course_of_action, stix_sdo_grouping, stix_sdo_identity, stix_sdo_incident,
    stix_sdo_indicator, stix_sdo_infrastructure, stix_sdo_intrusion_set, stix_sdo_location,
    stix_sdo_malware, stix_sdo_malware_analysis, stix_sdo_note, stix_sdo_observed_data,
    stix_sdo_opinion, stix_sdo_report, stix_sdo_threat_actor, stix_sdo_tool, stix_sdo_vulnerability,
    stix_sro_relationship, stix_sro_sighting;

extern const struct stix_shape stix_sco_artifact, stix_sco_autonomous_system, stix_sco_directory,
    stix_sco_domain_name, stix_sco_email_addr, stix_sco_email_message, stix_sco_file,
    stix_sco_ipv4_addr, stix_sco_ipv6_addr, stix_sco_mac_addr, stix_sco_mutex,
    stix_sco_network_traffic, stix_sco_process, stix_sco_software, stix_sco_url,
    stix_sco_user_account, stix_sco_windows_registry_key, stix_sco_x509_certificate;
extern const struct stix_ext stix_exts_file[], stix_exts_network_traffic[], stix_exts_process[],
    stix_exts_user_account[];

extern const struct stix_shape stix_meta_bundle, stix_meta_language_content,
    stix_meta_marking_definition, stix_meta_extension_definition;

extern const struct stix_vocab stix_account_type_ov, stix_attack_motivation_ov,
    stix_attack_resource_level_ov, stix_encryption_algorithm_enum, stix_extension_type_enum,
    stix_grouping_context_ov, stix_hash_algorithm_ov, stix_identity_class_ov,
    stix_implementation_language_ov, stix_indicator_type_ov, stix_industry_sector_ov,
    stix_infrastructure_type_ov, stix_malware_capabilities_ov, stix_malware_result_ov,
    stix_malware_type_ov, stix_marking_type_ov, stix_network_socket_address_family_enum,
    stix_network_socket_type_enum, stix_opinion_enum, stix_pattern_type_ov,
    stix_processor_architecture_ov, stix_region_ov, stix_report_type_ov, stix_threat_actor_type_ov,
    stix_threat_actor_role_ov, stix_threat_actor_sophistication_ov, stix_tool_type_ov,
    stix_windows_integrity_level_enum, stix_windows_pebinary_type_ov,
    stix_windows_registry_datatype_enum, stix_windows_service_start_type_enum,
    stix_windows_service_type_enum, stix_windows_service_status_enum;
extern const struct stix_vocab *const stix_vocabs[];
extern const size_t stix_vocab_count;

extern const struct stix_syntax stix_syntax_lang, stix_syntax_url, stix_syntax_url_light,
    stix_syntax_ipv4, stix_syntax_ipv6, stix_syntax_mac, stix_syntax_email, stix_syntax_domain,
    stix_syntax_cpe, stix_syntax_registry_key, stix_syntax_lowercase, stix_syntax_mime,
    stix_syntax_relationship_type, stix_syntax_spec_version, stix_syntax_selector,
    stix_syntax_country, stix_syntax_lowercase_only;

#endif
