/* What auth hears and answers, and what a parent says to its children; and the configuration. */
#include <stdlib.h>
#include <string.h>
#include "auth_msg.h"
#include "config.h"
#include "node_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_come_back(const struct buf *b, struct span s)
{
    if (!b->failed && !span_eq(buf_view(b), s))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct auth_msg m;
    struct auth_reply r;
    struct node_link_msg l;
    struct node_start n;
    struct config c, again;
    struct err e = ERR_INIT;
    struct buf b;

    if (size == 0)
        return 0;
    struct span s = span_from(data + 1, size - 1);
    buf_init(&b, 1u << 20);
    switch (data[0] % 5) {
    case 0:
        if (auth_msg_decode(s, &m, &e) == 0) {
            auth_msg_encode(&m, &b);
            must_come_back(&b, s);
        }
        break;
    case 1:
        if (auth_reply_decode(s, &r, &e) == 0) {
            auth_reply_encode(&r, &b);
            must_come_back(&b, s);
        }
        break;
    case 2:
        if (node_link_decode(s, &l, &e) == 0) {
            node_link_encode(&l, &b);
            must_come_back(&b, s);
        }
        break;
    case 3:
        (void)node_start_decode(s, &n, &e);
        break;
    default:
        /* What is read prints as a file that reads the same. */
        if (config_read(s, &c, &e) == 0) {
            config_print(&c, size % 2 == 0, &b);
            if (b.failed || config_read(buf_view(&b), &again, &e) ||
                memcmp(&c, &again, sizeof c) != 0)
                abort();
        }
    }
    buf_clear(&b);
    return 0;
}
