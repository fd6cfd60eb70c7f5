#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "config.h"
#include "node_msg.h"
#include "tlp.h"

static void
presets_are_valid_and_come_back(void **state)
{
    struct config c, d;
    struct err e = ERR_INIT;
    struct buf b;

    (void)state;
    config_preset(&c);
    assert_int_equal(c.readers, 2);
    assert_string_equal(c.listen[0], "127.0.0.1:8443");
    assert_int_equal(c.listen_n, 1);
    assert_int_equal(c.ceiling[0], TLP_RED);
    for (int comments = 0; comments < 2; comments++) {
        buf_init(&b, CONFIG_FILE_MAX);
        config_print(&c, comments, &b);
        assert_int_equal(config_read(buf_view(&b), &d, &e), 0);
        assert_memory_equal(&c, &d, sizeof c);
        buf_clear(&b);
    }
}

static void
a_full_file(void **state)
{
    static const char text[] = "# a node\n\n"
                               "name ทีมตัวอย่าง # not a comment\r\n"
                               "country\tTH\n"
                               "listen 192.0.2.10:8443\n"
                               "listen [2001:db8::1]:443 TLP:GREEN\n"
                               "readers 8\nlog debug\n"
                               "certificate /a\nkey /b";
    struct config c, d;
    struct err e = ERR_INIT;
    struct buf b;

    (void)state;
    assert_int_equal(config_read(SPAN(text), &c, &e), 0);
    assert_string_equal(c.name, "ทีมตัวอย่าง # not a comment");
    assert_int_equal(c.listen_n, 2);
    assert_string_equal(c.listen[1], "[2001:db8::1]:443");
    assert_int_equal(c.ceiling[0], TLP_RED);
    assert_int_equal(c.ceiling[1], TLP_GREEN);
    assert_int_equal(c.readers, 8);
    assert_int_equal(c.log, LOG_DEBUG);
    buf_init(&b, CONFIG_FILE_MAX);
    config_print(&c, true, &b);
    assert_int_equal(config_read(buf_view(&b), &d, &e), 0);
    assert_memory_equal(&c, &d, sizeof c);
    buf_clear(&b);
}

static void
bad_files(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *place;
    } cases[] = {
        {"nonsense 1", ERR_USAGE, "line 1: nonsense"},
        {"\n\nNAME x", ERR_USAGE, "line 3: NAME"},
        {"name", ERR_SYNTAX, "line 1: name"},
        {"name \xff", ERR_ENCODING, "line 1: name"},
        {"name a\nname b", ERR_DUPLICATE, "line 2: name"},
        {"name a\001z", ERR_SYNTAX, "line 1: name"},
        {"contact a\177z", ERR_SYNTAX, "line 1: contact"},
        {"country Thailand", ERR_SYNTAX, "line 1: country"},
        {"country th", ERR_SYNTAX, "line 1: country"},
        {"readers 1", ERR_RANGE, "line 1: readers"},
        {"readers 9", ERR_RANGE, "line 1: readers"},
        {"readers -2", ERR_SYNTAX, "line 1: readers"},
        {"readers 2 3", ERR_SYNTAX, "line 1: readers"},
        {"readers 99999999999999999999", ERR_SYNTAX, "line 1: readers"},
        {"readers two", ERR_SYNTAX, "line 1: readers"},
        {"listen 8443", ERR_SYNTAX, "line 1: listen"},
        {"listen localhost:8443", ERR_SYNTAX, "line 1: listen"},
        {"listen 127.0.0.1:65536", ERR_SYNTAX, "line 1: listen"},
        {"listen 127.0.0.1:", ERR_SYNTAX, "line 1: listen"},
        {"listen 127.0.0.1", ERR_SYNTAX, "line 1: listen"},
        {"listen ::1:8443", ERR_SYNTAX, "line 1: listen"},
        {"listen [::1]8443", ERR_SYNTAX, "line 1: listen"},
        {"listen 127.0.0.1:1 PURPLE", ERR_SYNTAX, "line 1: listen"},
        {"listen 127.0.0.1:1\nlisten 127.0.0.1:2\nlisten 127.0.0.1:3\nlisten 127.0.0.1:4\n"
         "listen 127.0.0.1:5",
         ERR_LIMIT, "line 5: listen"},
        {"log loud", ERR_SYNTAX, "line 1: log"},
        {"certificate /a", ERR_USAGE, "certificate"},
        {"key /b", ERR_USAGE, "certificate"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config c, before;
        struct err e = ERR_INIT;
        config_preset(&c);
        before = c;
        assert_int_equal(config_read(span_of(cases[i].text), &c, &e), -1);
        assert_int_equal(e.code, cases[i].code);
        assert_string_equal(e.place, cases[i].place);
        assert_memory_equal(&c, &before, sizeof c); /* a bad file changes nothing */
    }
}

static void
messages_to_children(void **state)
{
    static char mem[1u << 18];
    struct node_start in = {.role = NODE_FRONT,
                            .index = 1,
                            .owner = 1000,
                            .cert_pem = SPAN("cert"),
                            .key_pem = SPAN("key")},
                      out;
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    config_preset(&in.config);
    memset(in.ticket_key.b, 7, sizeof in.ticket_key.b);
    buf_init_fixed(&b, mem, sizeof mem);
    node_start_encode(&in, &b);
    assert_false(b.failed);
    assert_int_equal(node_start_decode(buf_view(&b), &out, &e), 0);
    assert_int_equal(out.role, NODE_FRONT);
    assert_int_equal(out.index, 1);
    assert_int_equal(out.owner, 1000);
    assert_true(span_is(out.cert_pem, "cert") && span_is(out.key_pem, "key"));
    assert_memory_equal(&out.config, &in.config, sizeof in.config);
    for (size_t n = 0; n < b.n; n++)
        assert_int_equal(node_start_decode(span_from(mem, n), &out, &e), -1);
    mem[0] = NODE_PARENT;
    assert_int_equal(node_start_decode(buf_view(&b), &out, &e), -1);
    mem[0] = NODE_ROLES;
    assert_int_equal(node_start_decode(buf_view(&b), &out, &e), -1);
}

static void
links(void **state)
{
    static const unsigned char bad[][4] = {{0, 1, 0, 0},
                                           {5, 1, 0, 0},
                                           {1, NODE_ROLES, 0, 0},
                                           {1, 1, NODE_CHILDREN_MAX, 0},
                                           {4, 1, 0, NODE_RING_PARTS}};
    struct node_link_msg in = {NODE_L_RING, NODE_READER, 3, 2}, out;
    char mem[16];
    struct buf b;
    struct err e = ERR_INIT;

    (void)state;
    buf_init_fixed(&b, mem, sizeof mem);
    node_link_encode(&in, &b);
    assert_int_equal(node_link_decode(buf_view(&b), &out, &e), 0);
    assert_memory_equal(&in, &out, sizeof in);
    assert_int_equal(node_link_decode(span_from(mem, b.n - 1), &out, &e), -1);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(node_link_decode(span_from(bad[i], 4), &out, &e), -1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(presets_are_valid_and_come_back),
        cmocka_unit_test(a_full_file),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(messages_to_children),
        cmocka_unit_test(links),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
