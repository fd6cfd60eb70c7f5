/* The canonical form, RFC 8785. */
#include "json.h"

static void
put_number(struct buf *out, double v)
{
    char text[JSON_NUMBER_MAX];

    buf_put(out, text, json_number_print(v, text));
}

/* One value; of an array or object that has something in it, only its opening. */
static void
put_value(struct buf *out, const struct json *v)
{
    switch (v->type) {
    case JSON_NULL:
        buf_put(out, "null", 4);
        break;
    case JSON_BOOL:
        if (v->boolean)
            buf_put(out, "true", 4);
        else
            buf_put(out, "false", 5);
        break;
    case JSON_NUMBER:
        put_number(out, v->number);
        break;
    case JSON_STRING:
        json_put_string(out, v->text);
        break;
    case JSON_ARRAY:
        buf_put(out, "[]", v->child != NULL ? 1 : 2);
        break;
    case JSON_OBJECT:
        buf_put(out, "{}", v->child != NULL ? 1 : 2);
        break;
    }
}

/* Members already stand in the order of RFC 8785, so this is a walk without a stack. */
void
json_canonical(const struct json *v, struct buf *out)
{
    const struct json *root = v;

    while (!out->failed) {
        if (v != root && v->up->type == JSON_OBJECT) {
            json_put_string(out, v->key);
            buf_put(out, ":", 1);
        }
        put_value(out, v);
        if (v->child != NULL) {
            v = v->child;
            continue;
        }
        while (v != root && v->next == NULL) {
            v = v->up;
            buf_put(out, v->type == JSON_OBJECT ? "}" : "]", 1);
        }
        if (v == root)
            return;
        buf_put(out, ",", 1);
        v = v->next;
    }
}
