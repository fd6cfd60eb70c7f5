#include "node_msg.h"

#include <string.h>
#include "tls_cert.h"

#define CONFIG_PRINT_MAX CONFIG_FILE_MAX

const char *
node_role_name(enum node_role r)
{
    static const char *const names[NODE_ROLES] = {"parent", "writer", "reader",
                                                  "auth",   "front",  "signer"};

    return r < NODE_ROLES ? names[r] : "unknown";
}

void
node_start_encode(const struct node_start *s, struct buf *out)
{
    char text[CONFIG_PRINT_MAX];
    struct buf b;

    buf_init_fixed(&b, text, sizeof text);
    config_print(&s->config, false, &b);
    buf_u8(out, s->role);
    buf_u8(out, s->index);
    buf_u32(out, s->owner);
    buf_put(out, s->ticket_key.b, sizeof s->ticket_key.b);
    buf_field(out, buf_view(&b));
    buf_field(out, s->cert_pem);
    buf_field(out, s->key_pem);
    if (b.failed)
        out->failed = true;
}

int
node_start_decode(struct span message, struct node_start *out, struct err *e)
{
    struct reader r = reader_of(message);
    struct node_start s = {0};
    unsigned role = reader_u8(&r);

    s.index = reader_u8(&r);
    s.owner = reader_u32(&r);
    struct span key = reader_bytes(&r, sizeof s.ticket_key.b);
    if (key.n == sizeof s.ticket_key.b)
        memcpy(s.ticket_key.b, key.p, key.n);
    struct span config = reader_field(&r, CONFIG_PRINT_MAX);
    s.cert_pem = reader_field(&r, TLS_PEM_MAX);
    s.key_pem = reader_field(&r, TLS_PEM_MAX);
    if (reader_end(&r, e))
        return -1;
    if (role == NODE_PARENT || role >= NODE_ROLES)
        return err_set(e, ERR_PROTOCOL, "unknown role");
    s.role = (enum node_role)role;
    if (config_read(config, &s.config, e))
        return -1;
    *out = s;
    return 0;
}

void
node_link_encode(const struct node_link_msg *m, struct buf *out)
{
    buf_u8(out, m->kind);
    buf_u8(out, m->role);
    buf_u8(out, m->index);
    buf_u8(out, m->part);
}

int
node_link_decode(struct span message, struct node_link_msg *out, struct err *e)
{
    struct reader r = reader_of(message);
    unsigned kind = reader_u8(&r), role = reader_u8(&r), index = reader_u8(&r),
             part = reader_u8(&r);

    if (reader_end(&r, e))
        return -1;
    if (kind < NODE_L_LISTEN || kind > NODE_L_RING || role >= NODE_ROLES ||
        index >= NODE_CHILDREN_MAX || part >= NODE_RING_PARTS)
        return err_set(e, ERR_PROTOCOL, "unknown link");
    *out = (struct node_link_msg){(enum node_link)kind, (enum node_role)role, index, part};
    return 0;
}
