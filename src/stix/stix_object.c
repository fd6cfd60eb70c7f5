#include "stix_object.h"

static int
refuse(struct stix_defect *why, const char *rule, const char *clause, const char *pointer,
       const char *text)
{
    *why = (struct stix_defect){
        .severity = STIX_REFUSE, .rule = rule, .clause = clause, .pointer = pointer, .text = text};
    return -1;
}

/* True when it is absent or a timestamp. */
static bool
time_read(const struct json *v, struct stix_time *out)
{
    if (v == NULL)
        return true;
    if (v->type != JSON_STRING || !instant_read(v->text, false, &out->at, &out->digits))
        return false;
    out->text = v->text;
    return true;
}

static const struct json *
of_type(const struct json *v, enum json_type type)
{
    return v != NULL && v->type == type ? v : NULL;
}

/* What never refuses: a value of a wrong type counts as absent here and is stix_check's to tell. */
static void
read_rest(const struct json *o, struct stix_head *h)
{
    const struct json *v;
    struct stix_id id;
    int64_t n;

    h->spec_version = json_text(o, "spec_version");
    h->name = json_text(o, "name");
    h->lang = json_text(o, "lang");
    v = json_get(o, "confidence");
    h->confidence = v != NULL && json_is_int(v, &n) && n >= 0 && n <= 100 ? (int)n : -1;
    h->labels = of_type(json_get(o, "labels"), JSON_ARRAY);
    h->marking_refs = of_type(json_get(o, "object_marking_refs"), JSON_ARRAY);
    h->granular_markings = of_type(json_get(o, "granular_markings"), JSON_ARRAY);
    h->external_references = of_type(json_get(o, "external_references"), JSON_ARRAY);
    h->extensions = of_type(json_get(o, "extensions"), JSON_OBJECT);
    if (h->class == STIX_SCO || h->class == STIX_BUNDLE)
        return;
    v = json_get(o, "revoked");
    h->revoked = v != NULL && v->type == JSON_BOOL && v->boolean;
    v = json_get(o, "created_by_ref");
    if (v != NULL && v->type == JSON_STRING && stix_id_read(v->text, &id))
        h->created_by = v->text;
}

int
stix_head_read(const struct json *o, struct stix_head *out, struct stix_defect *why)
{
    struct stix_head h = {.confidence = -1};
    const struct json *type, *id;

    if (o == NULL || o->type != JSON_OBJECT)
        return refuse(why, "object", "STIX 2.1 section 3", "", "this is no JSON object");
    type = json_get(o, "type");
    if (type == NULL)
        return refuse(why, "type", "STIX 2.1 section 3.2", "", "type is missing");
    if (type->type != JSON_STRING || !stix_type_usable(type->text))
        return refuse(why, "type", "STIX 2.1 section 3.2", "/type", "type names no type of object");
    id = json_get(o, "id");
    if (id == NULL)
        return refuse(why, "id", "STIX 2.1 section 3.3", "", "id is missing");
    if (id->type != JSON_STRING || !stix_id_read(id->text, &h.id))
        return refuse(why, "id", "STIX 2.1 section 2.9", "/id",
                      "id does not have the form type--UUID");
    if (!span_eq(h.id.type, type->text))
        return refuse(why, "id", "STIX 2.1 section 2.9", "/id", "id begins with another type");
    h.class = stix_class_of(type->text);
    if (h.class != STIX_SCO && h.class != STIX_BUNDLE) {
        if (!time_read(json_get(o, "created"), &h.created))
            return refuse(why, "created", "STIX 2.1 section 2.16", "/created",
                          "created is no timestamp");
        if (!time_read(json_get(o, "modified"), &h.modified))
            return refuse(why, "modified", "STIX 2.1 section 2.16", "/modified",
                          "modified is no timestamp");
    }
    read_rest(o, &h);
    *out = h;
    return 0;
}

static const struct stix_time *
version_of(const struct stix_time *created, const struct stix_time *modified)
{
    return modified->text.p != NULL ? modified : created;
}

const struct stix_time *
stix_head_version(const struct stix_head *h)
{
    return version_of(&h->created, &h->modified);
}
