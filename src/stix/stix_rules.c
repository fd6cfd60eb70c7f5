/* stix/stix_rules.c - rules between the fields of one object, by the section that has them. */
#include "stix_rules.h"

#include <string.h>
#include "stix_builtin.h"
#include "stix_select.h"

static bool
has(const struct json *o, const char *name)
{
    return json_get(o, name) != NULL;
}

static bool
is_bool(const struct json *o, const char *name, bool value)
{
    const struct json *v = json_get(o, name);
    return v != NULL && v->type == JSON_BOOL && v->boolean == value;
}

static bool
all_digits(struct span s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n != 0;
}

/* "CVE-2026-1234", the number of four digits or more. */
static bool
is_cve(struct span s)
{
    return span_starts(s, "CVE-") && s.n >= 13 && all_digits(span_part(s, 4, 4)) && s.p[8] == '-' &&
           all_digits(span_part(s, 9, s.n));
}

static bool
is_capec(struct span s)
{
    return span_starts(s, "CAPEC-") && all_digits(span_part(s, 6, s.n));
}

/* Sections 4.1.1 and 4.19.1. */
void
stix_rule_external_reference(struct stix_check_state *c, const struct json *o)
{
    struct span source = json_text(o, "source_name"), id = json_text(o, "external_id");
    const struct json *at = json_get(o, "external_id");
    if (id.p == NULL)
        return;
    if (span_is(source, "cve") && !is_cve(id))
        stix_fault_value(c, STIX_MUST, "external-id", "STIX 2.1 section 4.19.1", at,
                         "%s is no CVE identifier", id);
    else if (span_is(source, "capec") && !is_capec(id))
        stix_fault_value(c, STIX_MUST, "external-id", "STIX 2.1 section 4.1.1", at,
                         "%s is not of the form CAPEC-id", id);
    else if (c->type == STIX_VULNERABILITY && is_cve(id) && !span_is(source, "cve"))
        stix_fault(c, STIX_MUST, "external-id", "STIX 2.1 section 4.19.1", at,
                   "the source_name of a CVE identifier must be 'cve'");
    else if (c->type == STIX_ATTACK_PATTERN && is_capec(id) && !span_is(source, "capec"))
        stix_fault(c, STIX_MUST, "external-id", "STIX 2.1 section 4.1.1", at,
                   "the source_name of a CAPEC identifier must be 'capec'");
}

/* Section 7.2.3.1. */
void
stix_rule_granular_marking(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 7.2.3.1";
    const struct json *ref = json_get(o, "marking_ref"), *selectors = json_get(o, "selectors");
    if ((ref != NULL) == has(o, "lang"))
        stix_fault(c, STIX_MUST, "only-one", clause, o,
                   "exactly one of marking_ref and lang must be present");
    if (ref != NULL && ref->type == JSON_STRING && span_eq(ref->text, c->head->id.text))
        stix_fault(c, STIX_MUST, "circular", "STIX 2.1 section 3.2", ref,
                   "a marking must not mark itself");
    if (selectors == NULL || selectors->type != JSON_ARRAY)
        return;
    for (const struct json *s = selectors->child; s != NULL; s = s->next) {
        if (s->type != JSON_STRING || !stix_selector_ok(s->text) ||
            stix_select_within(c->root, s->text, &c->steps) != NULL)
            continue;
        if (c->steps == 0) {
            stix_fault_unchecked(c, s);
            return;
        }
        stix_fault_value(c, STIX_MUST, "selector-target", clause, s,
                         "%s selects nothing that is in this object", s->text);
    }
}

void
stix_rule_location(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 4.10";
    bool lat = has(o, "latitude"), lon = has(o, "longitude");
    if (!has(o, "region") && !has(o, "country") && !(lat && lon))
        stix_fault(c, STIX_MUST, "one-of", clause, o,
                   "a location must have region, country, or latitude with longitude");
    if (lat != lon)
        stix_fault(c, STIX_MUST, "required", clause, o,
                   "latitude and longitude must be present together");
    if (has(o, "precision") && !(lat && lon))
        stix_fault(c, STIX_MUST, "required", clause, json_get(o, "precision"),
                   "precision must not be present without latitude and longitude");
}

void
stix_rule_malware(struct stix_check_state *c, const struct json *o)
{
    if (is_bool(o, "is_family", true) && !has(o, "name"))
        stix_fault(c, STIX_MUST, "required", "STIX 2.1 section 4.11", o,
                   "a malware family must have a name");
}

void
stix_rule_observed_data(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 4.14";
    const struct json *refs = json_get(o, "object_refs");
    bool sco = false;
    if (refs == NULL)
        return;
    if (has(o, "objects"))
        stix_fault(c, STIX_MUST, "only-one", clause, refs,
                   "objects and object_refs must not both be present");
    if (refs->type != JSON_ARRAY || refs->child == NULL)
        return;
    for (const struct json *r = refs->child; r != NULL && !sco; r = r->next) {
        struct stix_id id;
        if (r->type == JSON_STRING && stix_id_read(r->text, &id))
            sco = STIX_BIT(stix_type_find(id.type)) & (STIX_SET_SCO | STIX_SET_OTHER);
    }
    if (!sco)
        stix_fault(c, STIX_MUST, "one-of", clause, refs,
                   "object_refs must name at least one cyber-observable object");
}

/* Section 5.1 and the tables of sections 3.7, 4 and 6.  Any name is allowed, and one that is
 * defined should join what it is defined for. */
void
stix_rule_relationship(struct stix_check_state *c, const struct json *o)
{
    struct stix_id source, target;
    const struct json *at = json_get(o, "relationship_type");
    struct span name = json_text(o, "relationship_type");
    bool defined = false;

    if (!stix_id_read(json_text(o, "source_ref"), &source) ||
        !stix_id_read(json_text(o, "target_ref"), &target) || name.n == 0 ||
        span_is(name, "related-to"))
        return;
    if (span_is(name, "derived-from") || span_is(name, "duplicate-of")) {
        if (!span_eq(source.type, target.type))
            stix_fault_value(c, STIX_SHOULD, "relationship-ends", "STIX 2.1 section 3.7", at,
                             "%s should join two objects of one type", name);
        return;
    }
    enum stix_type_no from = stix_type_find(source.type), to = stix_type_find(target.type);
    for (size_t i = 0; i < stix_relation_count; i++) {
        const struct stix_relation *r = &stix_relations[i];
        if (!span_is(name, r->name))
            continue;
        defined = true;
        if (r->source == from && r->targets & STIX_BIT(to))
            return;
    }
    if (from == STIX_TYPE_OTHER || to == STIX_TYPE_OTHER)
        return; /* what a custom type may be joined with is not for the standard to say */
    if (defined)
        stix_fault_value(c, STIX_SHOULD, "relationship-ends", "STIX 2.1 section 5.1", at,
                         "%s is not defined between objects of these types", name);
    else
        stix_fault_value(c, STIX_INFO, "relationship-type", "STIX 2.1 section 5.1", at,
                         "%s is no relationship that the standard defines", name);
}

/* Section 7.1.1. */
void
stix_rule_language_content(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 7.1.1";
    const struct json *contents = json_get(o, "contents");
    if (contents == NULL || contents->type == JSON_NULL)
        return;
    if (contents->type != JSON_OBJECT) {
        stix_fault(c, STIX_MUST, "type", clause, contents, "this must be an object");
        return;
    }
    if (contents->child == NULL)
        stix_fault(c, STIX_MUST, "empty", clause, contents, "this must not be empty");
    for (const struct json *l = contents->child; l != NULL; l = l->next) {
        if (!stix_syntax_lang.ok(l->key))
            stix_fault_value(c, STIX_MUST, "language", clause, l,
                             "%s is no language code of RFC 5646", l->key);
        if (l->type != JSON_OBJECT && l->type != JSON_NULL)
            stix_fault(c, STIX_MUST, "type", clause, l, "this must be an object");
        else if (l->type == JSON_OBJECT && l->child == NULL)
            stix_fault(c, STIX_MUST, "empty", clause, l, "this must not be empty");
    }
}

/* A built-in TLP marking must be what the world knows it to be. */
static void
check_builtin(struct stix_check_state *c, const struct json *o, const struct stix_builtin *b)
{
    enum stix_tlp said;
    struct span word;
    if (b->current) {
        const struct json *x = json_get(json_get(o, "extensions"), STIX_TLP2_EXTENSION);
        word = json_text(x, "tlp_2_0");
    } else {
        word = json_text(json_get(o, "definition"), "tlp");
    }
    if (b->bytes != NULL && (!stix_tlp_read(word, &said) || said != b->tlp))
        stix_fault_value(c, STIX_MUST, "tlp",
                         b->current ? "OASIS common objects: TLP 2.0" : "STIX 2.1 section 7.2.1.4",
                         json_get(o, "id"), "the marking of this id is %s, whatever is said here",
                         span_of(b->name));
}

/* Section 7.2.1.3. */
static void
check_statement(struct stix_check_state *c, const struct json *definition)
{
    const struct json *statement = json_get(definition, "statement");
    if (statement == NULL)
        stix_fault(c, STIX_MUST, "required", "STIX 2.1 section 7.2.1.3", definition,
                   "statement is missing");
    else if (statement->type != JSON_STRING)
        stix_fault(c, STIX_MUST, "type", "STIX 2.1 section 7.2.1.3", statement,
                   "this must be a string");
}

/* Section 7.2.1. */
void
stix_rule_marking_definition(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 7.2.1";
    const struct json *definition = json_get(o, "definition"), *refs = c->head->marking_refs;
    struct span kind = json_text(o, "definition_type");
    const struct stix_builtin *b = stix_builtin_find(c->head->id.text);

    if (!has(o, "extensions")) {
        if (!has(o, "definition_type"))
            stix_fault(c, STIX_MUST, "required", clause, o, "definition_type is missing");
        if (definition == NULL)
            stix_fault(c, STIX_MUST, "required", clause, o, "definition is missing");
    }
    if (definition != NULL && definition->type != JSON_OBJECT && definition->type != JSON_NULL)
        stix_fault(c, STIX_MUST, "type", clause, definition, "this must be an object");
    else if (span_is(kind, "statement") && definition != NULL)
        check_statement(c, definition);
    if (b != NULL)
        check_builtin(c, o, b);
    else if (span_is(kind, "tlp"))
        stix_fault(c, STIX_MUST, "tlp", "STIX 2.1 section 7.2.1.4", json_get(o, "id"),
                   "only the four TLP markings of the standard may have this definition_type");
    for (const struct json *r = refs != NULL ? refs->child : NULL; r != NULL; r = r->next)
        if (r->type == JSON_STRING && span_eq(r->text, c->head->id.text))
            stix_fault(c, STIX_MUST, "circular", "STIX 2.1 section 3.2", r,
                       "a marking must not mark itself");
}

/* Section 7.3.1. */
void
stix_rule_extension_definition(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 7.3.1";
    const struct json *types = json_get(o, "extension_types");
    const struct json *properties = json_get(o, "extension_properties");
    bool top = false;
    if (types == NULL || types->type != JSON_ARRAY)
        return;
    for (const struct json *t = types->child; t != NULL; t = t->next)
        top |= t->type == JSON_STRING && span_is(t->text, "toplevel-property-extension");
    if (properties != NULL && !top)
        stix_fault(c, STIX_MUST, "extension-properties", clause, properties,
                   "extension_properties is for a toplevel-property-extension alone");
    else if (properties == NULL && top)
        stix_fault(c, STIX_SHOULD, "extension-properties", clause, o,
                   "a toplevel-property-extension should list its extension_properties");
}

/* Section 6.1. */
void
stix_rule_artifact(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 6.1";
    if (has(o, "payload_bin") && has(o, "url"))
        stix_fault(c, STIX_MUST, "only-one", clause, json_get(o, "url"),
                   "payload_bin and url must not both be present");
    if (has(o, "url") && !has(o, "hashes"))
        stix_fault(c, STIX_MUST, "required", clause, o, "hashes must be present beside url");
    if (has(o, "decryption_key") && !has(o, "encryption_algorithm"))
        stix_fault(c, STIX_MUST, "required", clause, o,
                   "encryption_algorithm must be present beside decryption_key");
}

/* Section 6.6. */
void
stix_rule_email_message(struct stix_check_state *c, const struct json *o)
{
    const char *clause = "STIX 2.1 section 6.6";
    if (is_bool(o, "is_multipart", true) && has(o, "body"))
        stix_fault(c, STIX_MUST, "only-one", clause, json_get(o, "body"),
                   "body must not be present where is_multipart is true");
    if (is_bool(o, "is_multipart", false) && has(o, "body_multipart"))
        stix_fault(c, STIX_MUST, "only-one", clause, json_get(o, "body_multipart"),
                   "body_multipart must not be present where is_multipart is false");
}

/* Section 3.1: an _enc property belongs to one that is there. */
void
stix_rule_name_enc(struct stix_check_state *c, const struct json *o)
{
    if (has(o, "name_enc") && !has(o, "name"))
        stix_fault(c, STIX_MUST, "required", "STIX 2.1 section 3.1", json_get(o, "name_enc"),
                   "name_enc must not be present without name");
}

/* Section 6.12. */
void
stix_rule_network_traffic(struct stix_check_state *c, const struct json *o)
{
    if (is_bool(o, "is_active", true) && has(o, "end"))
        stix_fault(c, STIX_MUST, "only-one", "STIX 2.1 section 6.12", json_get(o, "end"),
                   "end must not be present where is_active is true");
}
