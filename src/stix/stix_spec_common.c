/* stix/stix_spec_common.c - properties that objects share, and the parts that they are made of. */
#include "stix_rules.h"
#include "stix_spec.h"
#include "stix_table.h"

static const struct stix_range confidence = {0, 100};

static const struct stix_prop props_external_reference[] = {
    STR("description", OPT),
    STR("external_id", OPT),
    HASHES("hashes", OPT),
    STR("source_name", REQ),
    SYNTAX("url", OPT, &stix_syntax_url_light),
};
static const char *const any_of_external_reference[] = {"description", "external_id", "url", NULL};
const struct stix_shape stix_shape_external_reference = {
    .clause = "STIX 2.1 section 2.5",
    .props = props_external_reference,
    .count = COUNT(props_external_reference),
    .any_of = any_of_external_reference,
    .rule = stix_rule_external_reference,
};

static const struct stix_prop props_kill_chain_phase[] = {
    SYNTAX("kill_chain_name", REQ, &stix_syntax_lowercase),
    SYNTAX("phase_name", REQ, &stix_syntax_lowercase),
};
const struct stix_shape stix_shape_kill_chain_phase = {
    .clause = "STIX 2.1 section 2.11",
    .props = props_kill_chain_phase,
    .count = COUNT(props_kill_chain_phase),
};

static const struct stix_prop props_granular_marking[] = {
    SYNTAX("lang", OPT, &stix_syntax_lang),
    REF("marking_ref", OPT, STIX_SET_MARKING),
    SYNTAX("selectors", REQ | LIST, &stix_syntax_selector),
};
const struct stix_shape stix_shape_granular_marking = {
    .clause = "STIX 2.1 section 7.2.3.1",
    .props = props_granular_marking,
    .count = COUNT(props_granular_marking),
    .rule = stix_rule_granular_marking,
};

static const struct stix_prop props_common_core[] = {
    ANY("action", FORBIDDEN),
    INT("confidence", OPT, &confidence),
    TIME_MS("created", REQ),
    REF("created_by_ref", OPT, STIX_SET_IDENTITY),
    ANY("defanged", FORBIDDEN),
    EXTENSIONS("extensions", OPT),
    SHAPE("external_references", LIST, &stix_shape_external_reference),
    SHAPE("granular_markings", LIST, &stix_shape_granular_marking),
    ANY("id", DONE),
    STR("labels", LIST),
    SYNTAX("lang", OPT, &stix_syntax_lang),
    TIME_MS("modified", REQ),
    REF("object_marking_refs", LIST, STIX_SET_MARKING),
    ANY("phone_number", FORBIDDEN),
    BOOL("revoked", OPT),
    ANY("severity", FORBIDDEN),
    SYNTAX("spec_version", REQ, &stix_syntax_spec_version),
    ANY("type", DONE),
    ANY("username", FORBIDDEN),
};
const struct stix_shape stix_common_core = {
    .clause = "STIX 2.1 section 3.2",
    .props = props_common_core,
    .count = COUNT(props_common_core),
};

static const struct stix_prop props_common_language[] = {
    ANY("action", FORBIDDEN),
    INT("confidence", OPT, &confidence),
    TIME_MS("created", REQ),
    REF("created_by_ref", OPT, STIX_SET_IDENTITY),
    ANY("defanged", FORBIDDEN),
    EXTENSIONS("extensions", OPT),
    SHAPE("external_references", LIST, &stix_shape_external_reference),
    SHAPE("granular_markings", LIST, &stix_shape_granular_marking),
    ANY("id", DONE),
    STR("labels", LIST),
    ANY("lang", NOT_APPLICABLE),
    TIME_MS("modified", REQ),
    REF("object_marking_refs", LIST, STIX_SET_MARKING),
    ANY("phone_number", FORBIDDEN),
    BOOL("revoked", OPT),
    ANY("severity", FORBIDDEN),
    SYNTAX("spec_version", REQ, &stix_syntax_spec_version),
    ANY("type", DONE),
    ANY("username", FORBIDDEN),
};
const struct stix_shape stix_common_language = {
    .clause = "STIX 2.1 section 7.1",
    .props = props_common_language,
    .count = COUNT(props_common_language),
};

static const struct stix_prop props_common_marking[] = {
    ANY("action", FORBIDDEN),
    ANY("confidence", NOT_APPLICABLE),
    TIME_MS("created", REQ),
    REF("created_by_ref", OPT, STIX_SET_IDENTITY),
    ANY("defanged", FORBIDDEN),
    EXTENSIONS("extensions", OPT),
    SHAPE("external_references", LIST, &stix_shape_external_reference),
    SHAPE("granular_markings", LIST, &stix_shape_granular_marking),
    ANY("id", DONE),
    ANY("labels", NOT_APPLICABLE),
    ANY("lang", NOT_APPLICABLE),
    ANY("modified", NOT_APPLICABLE),
    REF("object_marking_refs", LIST, STIX_SET_MARKING),
    ANY("phone_number", FORBIDDEN),
    ANY("revoked", NOT_APPLICABLE),
    ANY("severity", FORBIDDEN),
    SYNTAX("spec_version", REQ, &stix_syntax_spec_version),
    ANY("type", DONE),
    ANY("username", FORBIDDEN),
};
const struct stix_shape stix_common_marking = {
    .clause = "STIX 2.1 section 7.2.1",
    .props = props_common_marking,
    .count = COUNT(props_common_marking),
};

static const struct stix_prop props_common_extension[] = {
    ANY("action", FORBIDDEN),
    ANY("confidence", NOT_APPLICABLE),
    TIME_MS("created", REQ),
    REF("created_by_ref", REQ, STIX_SET_IDENTITY),
    ANY("defanged", FORBIDDEN),
    ANY("extensions", NOT_APPLICABLE),
    SHAPE("external_references", LIST, &stix_shape_external_reference),
    SHAPE("granular_markings", LIST, &stix_shape_granular_marking),
    ANY("id", DONE),
    STR("labels", LIST),
    ANY("lang", NOT_APPLICABLE),
    TIME_MS("modified", REQ),
    REF("object_marking_refs", LIST, STIX_SET_MARKING),
    ANY("phone_number", FORBIDDEN),
    BOOL("revoked", OPT),
    ANY("severity", FORBIDDEN),
    SYNTAX("spec_version", REQ, &stix_syntax_spec_version),
    ANY("type", DONE),
    ANY("username", FORBIDDEN),
};
const struct stix_shape stix_common_extension = {
    .clause = "STIX 2.1 section 7.3",
    .props = props_common_extension,
    .count = COUNT(props_common_extension),
};

static const struct stix_prop props_common_sco[] = {
    ANY("action", FORBIDDEN),
    ANY("confidence", NOT_APPLICABLE),
    ANY("created", NOT_APPLICABLE),
    ANY("created_by_ref", NOT_APPLICABLE),
    BOOL("defanged", OPT),
    EXTENSIONS("extensions", OPT),
    ANY("external_references", NOT_APPLICABLE),
    SHAPE("granular_markings", LIST, &stix_shape_granular_marking),
    ANY("id", DONE),
    ANY("labels", NOT_APPLICABLE),
    ANY("lang", NOT_APPLICABLE),
    ANY("modified", NOT_APPLICABLE),
    REF("object_marking_refs", LIST, STIX_SET_MARKING),
    ANY("phone_number", FORBIDDEN),
    ANY("revoked", NOT_APPLICABLE),
    ANY("severity", FORBIDDEN),
    SYNTAX("spec_version", OPT, &stix_syntax_spec_version),
    ANY("type", DONE),
    ANY("username", FORBIDDEN),
};
const struct stix_shape stix_common_sco = {
    .clause = "STIX 2.1 section 3.2",
    .props = props_common_sco,
    .count = COUNT(props_common_sco),
};

static const struct stix_prop props_common_bundle[] = {
    ANY("id", DONE),
    ANY("type", DONE),
};
const struct stix_shape stix_common_bundle = {
    .clause = "STIX 2.1 section 8",
    .props = props_common_bundle,
    .count = COUNT(props_common_bundle),
};
