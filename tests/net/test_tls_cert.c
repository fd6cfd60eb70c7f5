/* The TLS certificate: made, read back, and what is refused. */
#include "check.h"

#include <gnutls/x509.h>
#include <string.h>
#include "buf.h"
#include "mem.h"
#include "tls_cert.h"

#define NOW INT64_C(1790000000000000) /* a day in 2026 */
#define DAY INT64_C(86400000000)

static struct buf cert, key;

static void
make(const struct span *hosts, size_t n)
{
    struct err e = ERR_INIT;

    buf_init(&cert, TLS_PEM_MAX);
    buf_init(&key, TLS_PEM_MAX);
    assert_int_equal(tls_cert_make(hosts, n, NOW, &cert, &key, &e), 0);
}

static void
clear(void)
{
    buf_clear(&cert);
    buf_clear(&key);
}

static void
made_and_read(void **state)
{
    struct tls_cert_info a, b;
    struct err e = ERR_INIT;

    (void)state;
    make(NULL, 0);
    assert_int_equal(tls_cert_read(buf_view(&cert), buf_view(&key), NOW, &a, &e), 0);
    assert_int_equal(a.days_left, TLS_SELF_SIGNED_DAYS);
    assert_true(a.self_signed);
    assert_int_equal(strlen(a.fingerprint), 32 * 3 - 1);
    assert_int_equal(strspn(a.fingerprint, "0123456789ABCDEF:"), 32 * 3 - 1);
    assert_int_equal(tls_cert_read(buf_view(&cert), (struct span){NULL, 0},
                                   NOW + TLS_SELF_SIGNED_DAYS * DAY - 1000000, &b, &e),
                     0);
    assert_string_equal(a.fingerprint, b.fingerprint);
    assert_int_equal(b.days_left, 0);
    assert_int_equal(tls_cert_read(buf_view(&cert), buf_view(&key),
                                   NOW + TLS_SELF_SIGNED_DAYS * DAY + 1000000, &b, &e),
                     0);
    assert_int_equal(b.days_left, -1);
    clear();
}

static void
hosts_are_in_it(void **state)
{
    static const struct span hosts[] = {
        {"203.0.113.7", 11}, {"node.example", 12},  {"0.0.0.0", 7},      {"::", 2}, {"", 0},
        {"LOCALHOST", 9},    {"[2001:db8::1]", 13}, {"node.example", 12}};
    static const struct {
        const char *host;
        bool in;
    } t[] = {{"localhost", true},   {"127.0.0.1", true},    {"::1", true},
             {"203.0.113.7", true}, {"node.example", true}, {"2001:db8::1", true},
             {"0.0.0.0", false},    {"::", false},          {"other.example", false},
             {"127.0.0.2", false},  {"example", false},     {"x.node.example", false}};
    gnutls_x509_crt_t crt;
    gnutls_datum_t d;
    unsigned char serial[40];
    size_t n = sizeof serial;

    (void)state;
    make(hosts, sizeof hosts / sizeof *hosts);
    d = (gnutls_datum_t){.data = (unsigned char *)cert.p, .size = (unsigned)cert.n};
    gnutls_x509_crt_init(&crt);
    assert_int_equal(gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM), 0);
    for (size_t i = 0; i < sizeof t / sizeof *t; i++)
        assert_int_equal(gnutls_x509_crt_check_hostname(crt, t[i].host) != 0, t[i].in);
    assert_int_equal(gnutls_x509_crt_get_serial(crt, serial, &n), 0);
    assert_int_equal(n, 16);
    gnutls_x509_crt_deinit(crt);
    clear();
}

static void
two_differ(void **state)
{
    struct tls_cert_info a, b;

    (void)state;
    make(NULL, 0);
    tls_cert_read(buf_view(&cert), buf_view(&key), NOW, &a, NULL);
    clear();
    make(NULL, 0);
    tls_cert_read(buf_view(&cert), buf_view(&key), NOW, &b, NULL);
    clear();
    assert_string_not_equal(a.fingerprint, b.fingerprint);
}

/* A key too weak for today, made here as no tool should keep one. */
static void
weak_pair(struct buf *c, struct buf *k)
{
    gnutls_x509_privkey_t p;
    gnutls_x509_crt_t crt;
    gnutls_datum_t d;

    gnutls_x509_privkey_init(&p);
    gnutls_x509_crt_init(&crt);
    assert_int_equal(gnutls_x509_privkey_generate(p, GNUTLS_PK_RSA, 1024, 0), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, NOW / 1000000);
    gnutls_x509_crt_set_expiration_time(crt, NOW / 1000000 + 86400);
    gnutls_x509_crt_set_key(crt, p);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, p, GNUTLS_DIG_SHA256, 0), 0);
    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &d);
    buf_put(c, d.data, d.size);
    gnutls_free(d.data);
    gnutls_x509_privkey_export2(p, GNUTLS_X509_FMT_PEM, &d);
    buf_put(k, d.data, d.size);
    gnutls_free(d.data);
    gnutls_x509_privkey_deinit(p);
    gnutls_x509_crt_deinit(crt);
}

static void
refused(void **state)
{
    struct buf c2, k2, many, weak_c, weak_k;
    struct tls_cert_info info = {.days_left = 7};
    struct err e = ERR_INIT;
    char *huge = mem_zero(1, TLS_PEM_MAX + 1);

    (void)state;
    make(NULL, 0);
    c2 = cert;
    k2 = key;
    make(NULL, 0);
    buf_init(&many, TLS_PEM_MAX);
    for (int i = 0; i < 17; i++)
        buf_span(&many, buf_view(&cert));
    buf_init(&weak_c, TLS_PEM_MAX);
    buf_init(&weak_k, TLS_PEM_MAX);
    weak_pair(&weak_c, &weak_k);
    {
        const struct span none = {NULL, 0};
        const struct {
            const char *name;
            struct span cert, key;
            enum err_code code;
        } t[] = {
            {"another's key", buf_view(&cert), buf_view(&k2), ERR_RULE},
            {"another's certificate", buf_view(&c2), buf_view(&key), ERR_RULE},
            {"weak key", buf_view(&weak_c), buf_view(&weak_k), ERR_RULE},
            {"empty", none, none, ERR_SYNTAX},
            {"key for certificate", buf_view(&key), buf_view(&key), ERR_SYNTAX},
            {"certificate for key", buf_view(&cert), buf_view(&cert), ERR_SYNTAX},
            {"text", SPAN("hello"), buf_view(&key), ERR_SYNTAX},
            {"cut certificate", span_part(buf_view(&cert), 0, cert.n / 2), none, ERR_SYNTAX},
            {"cut key", buf_view(&cert), span_part(buf_view(&key), 0, key.n / 2), ERR_SYNTAX},
            {"seventeen certificates", buf_view(&many), none, ERR_SYNTAX},
            {"too large", span_from(huge, TLS_PEM_MAX + 1), none, ERR_LIMIT},
            {"too large a key", buf_view(&cert), span_from(huge, TLS_PEM_MAX + 1), ERR_LIMIT},
        };

        for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
            e = ERR_INIT;
            if (tls_cert_read(t[i].cert, t[i].key, NOW, &info, &e) != -1 || e.code != t[i].code)
                fail_msg("%s: %s %s", t[i].name, err_name(e.code), e.place);
            assert_int_equal(info.days_left, 7); /* untouched */
        }
    }
    buf_clear(&c2);
    buf_clear(&k2);
    buf_clear(&many);
    buf_clear(&weak_c);
    buf_clear(&weak_k);
    mem_free(huge);
    clear();
}

static void
no_room_for_it(void **state)
{
    struct err e = ERR_INIT;

    (void)state;
    buf_init(&cert, 100);
    buf_init(&key, TLS_PEM_MAX);
    assert_int_equal(tls_cert_make(NULL, 0, NOW, &cert, &key, &e), -1);
    assert_int_equal(e.code, ERR_MEMORY);
    clear();
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(made_and_read),  cmocka_unit_test(hosts_are_in_it),
        cmocka_unit_test(two_differ),     cmocka_unit_test(refused),
        cmocka_unit_test(no_room_for_it),
    };

    return cmocka_run_group_tests_name("tls_cert", tests, NULL, NULL);
}
