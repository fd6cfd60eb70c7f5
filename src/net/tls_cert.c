#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <time.h>
#include "mem.h"
#include "span.h"
#include "tls_cert.h"

#define HOST_MAX    255u /* characters of a DNS name, RFC 1035 section 2.3.4 */
#define CHAIN_MAX   16u  /* certificates: real chains have two to four */
#define SKEW_S      3600 /* valid from an hour ago: clocks differ */
#define DAY_S       86400
#define DIGEST_SIZE 32 /* SHA-256 */

static int
tls_error(struct err *e, int rc, enum err_code code, const char *text)
{
    err_set(e, rc == GNUTLS_E_MEMORY_ERROR ? ERR_MEMORY : code, text);
    return err_place(e, "%s", gnutls_strerror(rc));
}

/* Adds one host as an address or a name. */
static int
add_host(gnutls_x509_crt_t crt, struct span host)
{
    char text[HOST_MAX + 1];
    unsigned char addr[16];

    if (host.n > 1 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = span_part(host, 1, host.n - 2);
    if (host.n == 0 || host.n > HOST_MAX || span_is(host, "0.0.0.0") || span_is(host, "::") ||
        span_is(host, "*"))
        return 0;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (inet_pton(AF_INET, text, addr) == 1)
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addr, 4,
                                                    GNUTLS_FSAN_APPEND);
    if (inet_pton(AF_INET6, text, addr) == 1)
        return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addr, 16,
                                                    GNUTLS_FSAN_APPEND);
    return gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, text,
                                                (unsigned)strlen(text), GNUTLS_FSAN_APPEND);
}

static int
fill_hosts(gnutls_x509_crt_t crt, const struct span *hosts, size_t n)
{
    static const struct span own[] = {{"localhost", 9}, {"127.0.0.1", 9}, {"::1", 3}};
    const size_t n_own = sizeof own / sizeof *own;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < n_own; i++)
        rc = add_host(crt, own[i]);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        bool known = false;

        for (size_t k = 0; k < n_own; k++)
            known = known || span_eq_nocase(hosts[i], own[k]);
        for (size_t k = 0; k < i; k++)
            known = known || span_eq_nocase(hosts[i], hosts[k]);
        if (!known)
            rc = add_host(crt, hosts[i]);
    }
    return rc;
}

/* Everything but the hosts and the signature.  No key usage: software disagrees on what a
 * certificate that signs itself should say there, and all accept none. */
static int
fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, int64_t now_us)
{
    static const char name[] = "jaga node";
    unsigned char serial[16], id[64];
    size_t id_size = sizeof id;
    time_t now = (time_t)(now_us / 1000000);
    int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, RFC 5280 4.1.2.2 */
    if (rc == 0)
        rc = gnutls_x509_crt_set_version(crt, 3);
    if (rc == 0)
        rc = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
    if (rc == 0)
        rc = gnutls_x509_crt_set_activation_time(crt, now - SKEW_S);
    if (rc == 0)
        rc = gnutls_x509_crt_set_expiration_time(crt, now + (time_t)TLS_SELF_SIGNED_DAYS * DAY_S);
    if (rc == 0)
        rc = gnutls_x509_crt_set_key(crt, key);
    if (rc == 0)
        rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
                                           sizeof name - 1);
    if (rc == 0)
        rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (rc == 0)
        rc = gnutls_x509_crt_get_key_id(crt, 0, id, &id_size);
    if (rc == 0)
        rc = gnutls_x509_crt_set_subject_key_id(crt, id, id_size);
    return rc;
}

static int
append(struct buf *out, gnutls_datum_t *d)
{
    buf_put(out, d->data, d->size);
    mem_wipe(d->data, d->size);
    gnutls_free(d->data);
    d->data = NULL;
    return out->failed ? GNUTLS_E_MEMORY_ERROR : 0;
}

int
tls_cert_make(const struct span *hosts, size_t n, int64_t now_us, struct buf *cert_pem,
              struct buf *key_pem, struct err *e)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t d = {NULL, 0};
    int rc = gnutls_x509_privkey_init(&key);

    if (rc == 0)
        rc = gnutls_x509_crt_init(&crt);
    if (rc == 0)
        rc = gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                          GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    if (rc == 0)
        rc = fill(crt, key, now_us);
    if (rc == 0)
        rc = fill_hosts(crt, hosts, n);
    if (rc == 0)
        rc = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
    if (rc == 0)
        rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &d);
    if (rc == 0)
        rc = append(cert_pem, &d);
    if (rc == 0)
        rc = gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                               &d);
    if (rc == 0)
        rc = append(key_pem, &d);
    if (crt != NULL)
        gnutls_x509_crt_deinit(crt);
    if (key != NULL)
        gnutls_x509_privkey_deinit(key);
    if (rc < 0)
        return tls_error(e, rc, ERR_INTERNAL, "cannot make a TLS certificate");
    return 0;
}

static gnutls_datum_t
datum(struct span s)
{
    return (gnutls_datum_t){.data = (unsigned char *)(uintptr_t)s.p, .size = (unsigned)s.n};
}

static int
check_key(gnutls_x509_crt_t crt, struct span pem, struct err *e)
{
    unsigned char a[64], b[64];
    size_t na = sizeof a, nb = sizeof b;
    gnutls_x509_privkey_t key = NULL;
    gnutls_datum_t d = datum(pem);
    int rc = gnutls_x509_privkey_init(&key);

    if (rc == 0)
        rc = gnutls_x509_privkey_import2(key, &d, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (rc < 0) {
        rc = tls_error(e, rc, ERR_SYNTAX, "cannot read the TLS key");
        goto out;
    }
    rc = -1;
    if (gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, a, &na) < 0 ||
        gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, b, &nb) < 0 || na != nb ||
        memcmp(a, b, na) != 0)
        err_set(e, ERR_RULE, "the TLS key does not belong to the certificate");
    else if (gnutls_x509_privkey_sec_param(key) < GNUTLS_SEC_PARAM_MEDIUM)
        err_set(e, ERR_RULE, "the TLS key is too weak: 2048 bits of RSA or 256 of ECDSA at least");
    else
        rc = 0;
out:
    if (key != NULL)
        gnutls_x509_privkey_deinit(key);
    return rc;
}

static int
fill_info(gnutls_x509_crt_t crt, int64_t now_us, struct tls_cert_info *out)
{
    static const char digits[] = "0123456789ABCDEF";
    struct tls_cert_info info;
    unsigned char digest[DIGEST_SIZE];
    size_t size = sizeof digest;
    time_t end = gnutls_x509_crt_get_expiration_time(crt);
    int64_t left = (int64_t)end - now_us / 1000000;
    int rc = gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, digest, &size);

    if (rc < 0)
        return rc;
    if (end == (time_t)-1)
        return GNUTLS_E_CERTIFICATE_ERROR;
    for (size_t i = 0; i < sizeof digest; i++) {
        info.fingerprint[3 * i] = digits[digest[i] >> 4];
        info.fingerprint[3 * i + 1] = digits[digest[i] & 15];
        info.fingerprint[3 * i + 2] = ':';
    }
    info.fingerprint[3 * sizeof digest - 1] = '\0';
    info.days_left = left >= 0 ? left / DAY_S : -((-left + DAY_S - 1) / DAY_S);
    info.self_signed = gnutls_x509_crt_check_issuer(crt, crt) != 0;
    *out = info;
    return 0;
}

int
tls_cert_read(struct span cert_pem, struct span key_pem, int64_t now_us, struct tls_cert_info *out,
              struct err *e)
{
    gnutls_x509_crt_t chain[CHAIN_MAX];
    unsigned n = CHAIN_MAX;
    gnutls_datum_t d = datum(cert_pem);
    int rc;

    if (cert_pem.n > TLS_PEM_MAX || key_pem.n > TLS_PEM_MAX)
        return err_set(e, ERR_LIMIT, "TLS certificate or key too large");
    rc = gnutls_x509_crt_list_import(chain, &n, &d, GNUTLS_X509_FMT_PEM,
                                     GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
    if (rc < 0)
        return tls_error(e, rc, ERR_SYNTAX, "cannot read the TLS certificate");
    n = (unsigned)rc;
    if (n == 0)
        return err_set(e, ERR_SYNTAX, "no TLS certificate in the file");
    rc = key_pem.n > 0 ? check_key(chain[0], key_pem, e) : 0;
    if (rc == 0) {
        rc = fill_info(chain[0], now_us, out);
        if (rc < 0)
            rc = tls_error(e, rc, ERR_SYNTAX, "cannot read the TLS certificate");
    }
    for (unsigned i = 0; i < n; i++)
        gnutls_x509_crt_deinit(chain[i]);
    return rc;
}
