/* stix/stix_spec_sdo.c - domain, relationship and meta objects: STIX 2.1 sections 4, 5, 7 and 8. */
#include "stix_rules.h"
#include "stix_spec.h"
#include "stix_table.h"

static const struct stix_range latitude = {-90, 90};
static const struct stix_range longitude = {-180, 180};
static const struct stix_range not_negative = {0, STIX_INT_MAX};
static const struct stix_range number_observed = {1, 999999999};
static const struct stix_range sighting_count = {0, 999999999};

static const struct stix_prop props_sdo_attack_pattern[] = {
    STR("aliases", LIST),
    STR("description", OPT),
    SHAPE("kill_chain_phases", LIST, &stix_shape_kill_chain_phase),
    STR("name", REQ),
};
const struct stix_shape stix_sdo_attack_pattern = {
    .clause = "STIX 2.1 section 4.1",
    .props = props_sdo_attack_pattern,
    .count = COUNT(props_sdo_attack_pattern),
};

static const struct stix_prop props_sdo_campaign[] = {
    STR("aliases", LIST),   STR("description", OPT), TIME("first_seen", OPT),
    TIME("last_seen", OPT), STR("name", REQ),        STR("objective", OPT),
};
static const struct stix_order order_sdo_campaign[] = {
    {"first_seen", "last_seen", false},
};
const struct stix_shape stix_sdo_campaign = {
    .clause = "STIX 2.1 section 4.2",
    .props = props_sdo_campaign,
    .count = COUNT(props_sdo_campaign),
    .order = order_sdo_campaign,
    .order_count = COUNT(order_sdo_campaign),
};

static const struct stix_prop props_sdo_course_of_action[] = {
    STR("description", OPT),
    STR("name", REQ),
};
const struct stix_shape stix_sdo_course_of_action = {
    .clause = "STIX 2.1 section 4.3",
    .props = props_sdo_course_of_action,
    .count = COUNT(props_sdo_course_of_action),
};

static const struct stix_prop props_sdo_grouping[] = {
    WORD("context", REQ, &stix_grouping_context_ov),
    STR("description", OPT),
    STR("name", OPT),
    REF("object_refs", REQ | LIST, STIX_SET_OBJECT),
};
const struct stix_shape stix_sdo_grouping = {
    .clause = "STIX 2.1 section 4.4",
    .props = props_sdo_grouping,
    .count = COUNT(props_sdo_grouping),
};

static const struct stix_prop props_sdo_identity[] = {
    STR("contact_information", OPT),
    STR("description", OPT),
    WORD("identity_class", OPT, &stix_identity_class_ov),
    STR("name", REQ),
    STR("roles", LIST),
    WORD("sectors", LIST, &stix_industry_sector_ov),
};
const struct stix_shape stix_sdo_identity = {
    .clause = "STIX 2.1 section 4.5",
    .props = props_sdo_identity,
    .count = COUNT(props_sdo_identity),
};

static const struct stix_prop props_sdo_incident[] = {
    STR("description", OPT),
    STR("name", REQ),
};
const struct stix_shape stix_sdo_incident = {
    .clause = "STIX 2.1 section 4.6",
    .props = props_sdo_incident,
    .count = COUNT(props_sdo_incident),
};

static const struct stix_prop props_sdo_indicator[] = {
    STR("description", OPT),
    WORD("indicator_types", LIST, &stix_indicator_type_ov),
    SHAPE("kill_chain_phases", LIST, &stix_shape_kill_chain_phase),
    STR("name", OPT),
    STR("pattern", REQ),
    WORD("pattern_type", REQ, &stix_pattern_type_ov),
    STR("pattern_version", OPT),
    TIME("valid_from", REQ),
    TIME("valid_until", OPT),
};
static const struct stix_order order_sdo_indicator[] = {
    {"valid_from", "valid_until", true},
};
const struct stix_shape stix_sdo_indicator = {
    .clause = "STIX 2.1 section 4.7",
    .props = props_sdo_indicator,
    .count = COUNT(props_sdo_indicator),
    .order = order_sdo_indicator,
    .order_count = COUNT(order_sdo_indicator),
};

static const struct stix_prop props_sdo_infrastructure[] = {
    STR("aliases", LIST),
    STR("description", OPT),
    TIME("first_seen", OPT),
    WORD("infrastructure_types", LIST, &stix_infrastructure_type_ov),
    SHAPE("kill_chain_phases", LIST, &stix_shape_kill_chain_phase),
    TIME("last_seen", OPT),
    STR("name", REQ),
};
static const struct stix_order order_sdo_infrastructure[] = {
    {"first_seen", "last_seen", false},
};
const struct stix_shape stix_sdo_infrastructure = {
    .clause = "STIX 2.1 section 4.8",
    .props = props_sdo_infrastructure,
    .count = COUNT(props_sdo_infrastructure),
    .order = order_sdo_infrastructure,
    .order_count = COUNT(order_sdo_infrastructure),
};

static const struct stix_prop props_sdo_intrusion_set[] = {
    STR("aliases", LIST),
    STR("description", OPT),
    TIME("first_seen", OPT),
    STR("goals", LIST),
    TIME("last_seen", OPT),
    STR("name", REQ),
    WORD("primary_motivation", OPT, &stix_attack_motivation_ov),
    WORD("resource_level", OPT, &stix_attack_resource_level_ov),
    WORD("secondary_motivations", LIST, &stix_attack_motivation_ov),
};
static const struct stix_order order_sdo_intrusion_set[] = {
    {"first_seen", "last_seen", false},
};
const struct stix_shape stix_sdo_intrusion_set = {
    .clause = "STIX 2.1 section 4.9",
    .props = props_sdo_intrusion_set,
    .count = COUNT(props_sdo_intrusion_set),
    .order = order_sdo_intrusion_set,
    .order_count = COUNT(order_sdo_intrusion_set),
};

static const struct stix_prop props_sdo_location[] = {
    STR("administrative_area", OPT),
    STR("city", OPT),
    SYNTAX("country", OPT, &stix_syntax_country),
    STR("description", OPT),
    NUM("latitude", OPT, &latitude),
    NUM("longitude", OPT, &longitude),
    STR("name", OPT),
    STR("postal_code", OPT),
    NUM("precision", OPT, &not_negative),
    WORD("region", OPT, &stix_region_ov),
    STR("street_address", OPT),
};
const struct stix_shape stix_sdo_location = {
    .clause = "STIX 2.1 section 4.10",
    .props = props_sdo_location,
    .count = COUNT(props_sdo_location),
    .rule = stix_rule_location,
};

static const struct stix_prop props_sdo_malware[] = {
    STR("aliases", LIST),
    WORD("architecture_execution_envs", LIST, &stix_processor_architecture_ov),
    WORD("capabilities", LIST, &stix_malware_capabilities_ov),
    STR("description", OPT),
    TIME("first_seen", OPT),
    WORD("implementation_languages", LIST, &stix_implementation_language_ov),
    BOOL("is_family", REQ),
    SHAPE("kill_chain_phases", LIST, &stix_shape_kill_chain_phase),
    TIME("last_seen", OPT),
    WORD("malware_types", LIST, &stix_malware_type_ov),
    STR("name", OPT),
    REF("operating_system_refs", LIST, STIX_BIT(STIX_SOFTWARE)),
    REF("sample_refs", LIST, STIX_BIT(STIX_FILE) | STIX_BIT(STIX_ARTIFACT)),
};
static const struct stix_order order_sdo_malware[] = {
    {"first_seen", "last_seen", false},
};
const struct stix_shape stix_sdo_malware = {
    .clause = "STIX 2.1 section 4.11",
    .props = props_sdo_malware,
    .count = COUNT(props_sdo_malware),
    .order = order_sdo_malware,
    .order_count = COUNT(order_sdo_malware),
    .rule = stix_rule_malware,
};

static const struct stix_prop props_sdo_malware_analysis[] = {
    STR("analysis_definition_version", OPT),
    TIME("analysis_ended", OPT),
    STR("analysis_engine_version", OPT),
    REF("analysis_sco_refs", LIST, STIX_SET_SCO | STIX_SET_OTHER),
    TIME("analysis_started", OPT),
    STR("configuration_version", OPT),
    REF("host_vm_ref", OPT, STIX_BIT(STIX_SOFTWARE)),
    REF("installed_software_refs", LIST, STIX_BIT(STIX_SOFTWARE)),
    STR("modules", LIST),
    REF("operating_system_ref", OPT, STIX_BIT(STIX_SOFTWARE)),
    STR("product", REQ),
    WORD("result", OPT, &stix_malware_result_ov),
    STR("result_name", OPT),
    REF("sample_ref", OPT,
        STIX_BIT(STIX_FILE) | STIX_BIT(STIX_ARTIFACT) | STIX_BIT(STIX_NETWORK_TRAFFIC)),
    TIME("submitted", OPT),
    STR("version", OPT),
};
static const char *const any_of_sdo_malware_analysis[] = {"result", "analysis_sco_refs", NULL};
const struct stix_shape stix_sdo_malware_analysis = {
    .clause = "STIX 2.1 section 4.12",
    .props = props_sdo_malware_analysis,
    .count = COUNT(props_sdo_malware_analysis),
    .any_of = any_of_sdo_malware_analysis,
};

static const struct stix_prop props_sdo_note[] = {
    STR("abstract", OPT),
    STR("authors", LIST),
    STR("content", REQ),
    REF("object_refs", REQ | LIST, STIX_SET_OBJECT),
};
const struct stix_shape stix_sdo_note = {
    .clause = "STIX 2.1 section 4.13",
    .props = props_sdo_note,
    .count = COUNT(props_sdo_note),
};

static const struct stix_prop props_sdo_observed_data[] = {
    TIME("first_observed", REQ),
    TIME("last_observed", REQ),
    INT("number_observed", REQ, &number_observed),
    REF("object_refs", LIST, STIX_SET_SCO | STIX_SET_SRO | STIX_SET_OTHER),
    CONTAINER("objects", DEPRECATED),
};
static const struct stix_order order_sdo_observed_data[] = {
    {"first_observed", "last_observed", false},
};
static const char *const any_of_sdo_observed_data[] = {"objects", "object_refs", NULL};
const struct stix_shape stix_sdo_observed_data = {
    .clause = "STIX 2.1 section 4.14",
    .props = props_sdo_observed_data,
    .count = COUNT(props_sdo_observed_data),
    .order = order_sdo_observed_data,
    .order_count = COUNT(order_sdo_observed_data),
    .any_of = any_of_sdo_observed_data,
    .rule = stix_rule_observed_data,
};

static const struct stix_prop props_sdo_opinion[] = {
    STR("authors", LIST),
    STR("explanation", OPT),
    REF("object_refs", REQ | LIST, STIX_SET_OBJECT),
    WORD("opinion", REQ, &stix_opinion_enum),
};
const struct stix_shape stix_sdo_opinion = {
    .clause = "STIX 2.1 section 4.15",
    .props = props_sdo_opinion,
    .count = COUNT(props_sdo_opinion),
};

static const struct stix_prop props_sdo_report[] = {
    STR("description", OPT),
    STR("name", REQ),
    REF("object_refs", REQ | LIST, STIX_SET_OBJECT),
    TIME("published", REQ),
    WORD("report_types", LIST, &stix_report_type_ov),
};
const struct stix_shape stix_sdo_report = {
    .clause = "STIX 2.1 section 4.16",
    .props = props_sdo_report,
    .count = COUNT(props_sdo_report),
};

static const struct stix_prop props_sdo_threat_actor[] = {
    STR("aliases", LIST),
    STR("description", OPT),
    TIME("first_seen", OPT),
    STR("goals", LIST),
    TIME("last_seen", OPT),
    STR("name", REQ),
    WORD("personal_motivations", LIST, &stix_attack_motivation_ov),
    WORD("primary_motivation", OPT, &stix_attack_motivation_ov),
    WORD("resource_level", OPT, &stix_attack_resource_level_ov),
    WORD("roles", LIST, &stix_threat_actor_role_ov),
    WORD("secondary_motivations", LIST, &stix_attack_motivation_ov),
    WORD("sophistication", OPT, &stix_threat_actor_sophistication_ov),
    WORD("threat_actor_types", LIST, &stix_threat_actor_type_ov),
};
static const struct stix_order order_sdo_threat_actor[] = {
    {"first_seen", "last_seen", false},
};
const struct stix_shape stix_sdo_threat_actor = {
    .clause = "STIX 2.1 section 4.17",
    .props = props_sdo_threat_actor,
    .count = COUNT(props_sdo_threat_actor),
    .order = order_sdo_threat_actor,
    .order_count = COUNT(order_sdo_threat_actor),
};

static const struct stix_prop props_sdo_tool[] = {
    STR("aliases", LIST),
    STR("description", OPT),
    SHAPE("kill_chain_phases", LIST, &stix_shape_kill_chain_phase),
    STR("name", REQ),
    WORD("tool_types", LIST, &stix_tool_type_ov),
    STR("tool_version", OPT),
};
const struct stix_shape stix_sdo_tool = {
    .clause = "STIX 2.1 section 4.18",
    .props = props_sdo_tool,
    .count = COUNT(props_sdo_tool),
};

static const struct stix_prop props_sdo_vulnerability[] = {
    STR("description", OPT),
    STR("name", REQ),
};
const struct stix_shape stix_sdo_vulnerability = {
    .clause = "STIX 2.1 section 4.19",
    .props = props_sdo_vulnerability,
    .count = COUNT(props_sdo_vulnerability),
};

static const struct stix_prop props_sro_relationship[] = {
    STR("description", OPT),
    SYNTAX("relationship_type", REQ, &stix_syntax_relationship_type),
    REF("source_ref", REQ, STIX_SET_SDO | STIX_SET_SCO | STIX_SET_OTHER),
    TIME("start_time", OPT),
    TIME("stop_time", OPT),
    REF("target_ref", REQ, STIX_SET_SDO | STIX_SET_SCO | STIX_SET_OTHER),
};
static const struct stix_order order_sro_relationship[] = {
    {"start_time", "stop_time", true},
};
const struct stix_shape stix_sro_relationship = {
    .clause = "STIX 2.1 section 5.1",
    .props = props_sro_relationship,
    .count = COUNT(props_sro_relationship),
    .order = order_sro_relationship,
    .order_count = COUNT(order_sro_relationship),
    .rule = stix_rule_relationship,
};

static const struct stix_prop props_sro_sighting[] = {
    INT("count", OPT, &sighting_count),
    STR("description", OPT),
    TIME("first_seen", OPT),
    TIME("last_seen", OPT),
    REF("observed_data_refs", LIST, STIX_BIT(STIX_OBSERVED_DATA)),
    REF("sighting_of_ref", REQ, STIX_SET_SDO | STIX_SET_OTHER),
    BOOL("summary", OPT),
    REF("where_sighted_refs", LIST, STIX_SET_IDENTITY | STIX_BIT(STIX_LOCATION)),
};
static const struct stix_order order_sro_sighting[] = {
    {"first_seen", "last_seen", false},
};
const struct stix_shape stix_sro_sighting = {
    .clause = "STIX 2.1 section 5.2",
    .props = props_sro_sighting,
    .count = COUNT(props_sro_sighting),
    .order = order_sro_sighting,
    .order_count = COUNT(order_sro_sighting),
};

static const struct stix_prop props_meta_bundle[] = {
    ANY("objects", LIST),
};
const struct stix_shape stix_meta_bundle = {
    .clause = "STIX 2.1 section 8",
    .props = props_meta_bundle,
    .count = COUNT(props_meta_bundle),
};

static const struct stix_prop props_meta_language_content[] = {
    ANY("contents", REQ),
    TIME("object_modified", OPT),
    REF("object_ref", REQ, STIX_SET_OBJECT & ~STIX_BIT(STIX_LANGUAGE_CONTENT)),
};
const struct stix_shape stix_meta_language_content = {
    .clause = "STIX 2.1 section 7.1",
    .props = props_meta_language_content,
    .count = COUNT(props_meta_language_content),
    .rule = stix_rule_language_content,
};

static const struct stix_prop props_meta_marking_definition[] = {
    ANY("definition", OPT),
    STR("definition_type", OPT),
    STR("name", OPT),
};
const struct stix_shape stix_meta_marking_definition = {
    .clause = "STIX 2.1 section 7.2.1",
    .props = props_meta_marking_definition,
    .count = COUNT(props_meta_marking_definition),
    .rule = stix_rule_marking_definition,
};

static const struct stix_prop props_meta_extension_definition[] = {
    STR("description", OPT),
    STR("extension_properties", LIST),
    WORD("extension_types", REQ | LIST, &stix_extension_type_enum),
    STR("name", REQ),
    STR("schema", REQ),
    STR("version", REQ),
};
const struct stix_shape stix_meta_extension_definition = {
    .clause = "STIX 2.1 section 7.3.1",
    .props = props_meta_extension_definition,
    .count = COUNT(props_meta_extension_definition),
    .rule = stix_rule_extension_definition,
};
