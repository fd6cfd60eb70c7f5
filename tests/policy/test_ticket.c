/* Tickets: what was made is read, and whatever else is not. */
#include "check.h"

#include "crypto.h"
#include "ticket.h"

#define NOW ((int64_t)1800000000 * 1000000)

static struct key
key_of(const char *text)
{
    struct key k = {{0}};

    memcpy(k.b, text, strlen(text));
    return k;
}

static struct ticket
sample(void)
{
    struct ticket t = {.principal = 77,
                       .channel = CHANNEL_SESSION,
                       .listener = 3,
                       .epoch = 0x0102030405060708u,
                       .expiry_us = NOW + TICKET_LIFE_US,
                       .flags = TICKET_FRESH};

    memset(t.session, 0xab, sizeof t.session);
    return t;
}

static void
test_round(void **state)
{
    struct key k = key_of("one");
    struct ticket t = sample();
    struct ticket back;
    uint8_t wire[TICKET_BYTES] = {0};
    struct span s = span_from(wire, sizeof wire);

    (void)state;
    for (int c = CHANNEL_SESSION; c <= CHANNEL_MAX; c++) {
        t.channel = (enum channel)c;
        ticket_make(&k, &t, wire);
        memset(&back, 0, sizeof back);
        assert_int_equal(ticket_read(&k, s, 3, NOW, &back), TICKET_OK);
        assert_int_equal(back.principal, 77);
        assert_int_equal(back.channel, c);
        assert_int_equal(back.listener, 3);
        assert_true(back.epoch == t.epoch);
        assert_true(back.expiry_us == t.expiry_us);
        assert_memory_equal(back.session, t.session, sizeof t.session);
        assert_int_equal(back.flags, TICKET_FRESH);
    }
}

static void
test_times(void **state)
{
    static const struct {
        int64_t expiry_us;
        enum ticket_fault fault;
    } cases[] = {
        {NOW, TICKET_EXPIRED},
        {NOW - 1, TICKET_EXPIRED},
        {0, TICKET_EXPIRED},
        {INT64_MIN, TICKET_EXPIRED},
        {NOW + 1, TICKET_OK},
        {NOW + TICKET_LIFE_US, TICKET_OK},
        {NOW + TICKET_LIFE_US + 1, TICKET_TOO_LONG},
        {INT64_MAX, TICKET_TOO_LONG},
    };
    struct key k = key_of("one");
    uint8_t wire[TICKET_BYTES] = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ticket t = sample();
        struct ticket back;

        t.expiry_us = cases[i].expiry_us;
        ticket_make(&k, &t, wire);
        assert_int_equal(ticket_read(&k, span_from(wire, sizeof wire), 3, NOW, &back),
                         cases[i].fault);
    }
}

static void
test_bad(void **state)
{
    struct key k = key_of("one");
    struct key other = key_of("two");
    struct ticket t = sample();
    struct ticket back = {.principal = 5};
    uint8_t wire[TICKET_BYTES + 1] = {0};
    struct span s = span_from(wire, TICKET_BYTES);

    (void)state;
    ticket_make(&k, &t, wire);
    wire[TICKET_BYTES] = 0;
    for (size_t n = 0; n < TICKET_BYTES; n++) {
        assert_int_equal(ticket_read(&k, span_from(wire, n), 3, NOW, &back), TICKET_BAD_SIZE);
    }
    assert_int_equal(ticket_read(&k, span_from(wire, sizeof wire), 3, NOW, &back), TICKET_BAD_SIZE);
    assert_int_equal(ticket_read(&other, s, 3, NOW, &back), TICKET_BAD_MAC);
    for (size_t bit = 0; bit < TICKET_BYTES * 8; bit++) {
        wire[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(ticket_read(&k, s, 3, NOW, &back), TICKET_BAD_MAC);
        wire[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_int_equal(ticket_read(&k, s, 4, NOW, &back), TICKET_LISTENER);
    assert_int_equal(ticket_read(&k, s, 3, NOW - 1, &back), TICKET_TOO_LONG);
    assert_int_equal(ticket_read(&k, s, 3, INT64_MIN, &back), TICKET_TOO_LONG);
    assert_int_equal(back.principal, 5); /* untouched by all of these */

    /* Well MACed, and yet out of range: even auth is not believed blindly. */
    t.principal = 0;
    ticket_make(&k, &t, wire);
    assert_int_equal(ticket_read(&k, s, 3, NOW, &back), TICKET_BAD_FIELD);
    t = sample();
    t.channel = (enum channel)0;
    ticket_make(&k, &t, wire);
    assert_int_equal(ticket_read(&k, s, 3, NOW, &back), TICKET_BAD_FIELD);
    t.channel = (enum channel)(CHANNEL_MAX + 1);
    ticket_make(&k, &t, wire);
    assert_int_equal(ticket_read(&k, s, 3, NOW, &back), TICKET_BAD_FIELD);
    t = sample();
    t.flags = TICKET_FLAGS + 1;
    ticket_make(&k, &t, wire);
    assert_int_equal(ticket_read(&k, s, 3, NOW, &back), TICKET_BAD_FIELD);
    ticket_make(&k, &(struct ticket){.principal = 1, .channel = CHANNEL_TOKEN}, wire);
    wire[0] = 2; /* another version, MACed */
    mac_make(&k, span_from(wire, TICKET_BYTES - MAC_BYTES), wire + TICKET_BYTES - MAC_BYTES);
    assert_int_equal(ticket_read(&k, s, 0, NOW, &back), TICKET_BAD_FIELD);
}

static void
test_epoch(void **state)
{
    struct ticket t = sample();
    struct right_principal p = {.number = 77, .epoch = t.epoch};

    (void)state;
    assert_int_equal(ticket_current(&t, &p), TICKET_OK);
    p.epoch++;
    assert_int_equal(ticket_current(&t, &p), TICKET_EPOCH);
    p.epoch -= 2;
    assert_int_equal(ticket_current(&t, &p), TICKET_EPOCH);
    p.epoch++;
    p.number = 78;
    assert_int_equal(ticket_current(&t, &p), TICKET_EPOCH);
    assert_int_equal(ticket_current(&t, NULL), TICKET_EPOCH);
    for (int f = TICKET_OK; f <= TICKET_EPOCH; f++) {
        assert_true(strlen(ticket_fault_text((enum ticket_fault)f)) > 4);
    }
}

static int
start(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    return crypto_start(&e);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_epoch),
    };

    return cmocka_run_group_tests(tests, start, NULL);
}
