#include "config.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>
#include "tlp.h"
#include "utf8.h"

#define AT(member) offsetof(struct config, member)

const struct config_entry config_table[] = {
    {"name", CONFIG_TEXT, "", 1, 0, "National CERT", "the team's name, as others see it", AT(name)},
    {"country", CONFIG_COUNTRY, "", 0, 0, "ZZ", "two letters of ISO 3166-1", AT(country)},
    {"contact", CONFIG_TEXT, "", 0, 0, "", "how to reach the team: shown to everybody",
     AT(contact)},
    {"listen", CONFIG_LISTEN, "", 0, 0, "127.0.0.1:8443",
     "address and port for HTTPS, and the strictest label that may pass; once for each listener",
     AT(listen)},
    {"certificate", CONFIG_TEXT, "", 0, 0, "",
     "PEM file; without one, the certificate made by init", AT(certificate)},
    {"key", CONFIG_TEXT, "", 0, 0, "", "PEM file with the key of that certificate", AT(key)},
    {"readers", CONFIG_INT, "", 2, CONFIG_READERS_MAX, "2",
     "reader processes; one is kept for short reads", AT(readers)},
    {"writer_cache", CONFIG_INT, "MiB", 4, 4096, "64", "page cache of the writer",
     AT(writer_cache_mib)},
    {"reader_cache", CONFIG_INT, "MiB", 1, 4096, "4", "page cache of each reader",
     AT(reader_cache_mib)},
    {"max_content_length", CONFIG_INT, "MiB", 1, 65536, "1024",
     "longest body of a POST; told to TAXII clients", AT(max_content_mib)},
    {"connections", CONFIG_INT, "", 16, 65536, "2000", "open connections of a listener",
     AT(connections)},
    {"page", CONFIG_INT, "objects", 1, 10000, "1000",
     "objects of a page where the client sets no limit", AT(page_objects)},
    {"log", CONFIG_LOG, "", 0, 0, "info", "error, warning, info or debug", AT(log)},
};
const size_t config_count = sizeof config_table / sizeof config_table[0];

static const char *const levels[] = {
    [LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

bool
config_listen_parts(struct span text, char addr[64], uint16_t *port)
{
    struct span host;
    uint64_t number;
    size_t colon;
    unsigned char bin[16];

    text = span_part(text, 0, span_find(text, ' ') < 0 ? text.n : (size_t)span_find(text, ' '));
    colon = text.n;
    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon == 0)
        return false;
    host = span_part(text, 0, colon - 1);
    if (!span_u64(span_part(text, colon, text.n), 65535, &number))
        return false;
    bool six = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (six)
        host = span_part(host, 1, host.n - 2);
    if (host.n == 0 || host.n >= 64)
        return false;
    memcpy(addr, host.p, host.n);
    addr[host.n] = '\0';
    if (inet_pton(six ? AF_INET6 : AF_INET, addr, bin) != 1)
        return false;
    *port = (uint16_t)number;
    return true;
}

static int
set_text(char *out, struct span value, struct err *e)
{
    size_t bad;

    if (value.n >= CONFIG_TEXT_MAX)
        return err_set(e, ERR_LIMIT, "longer than 255 bytes");
    if (!utf8_valid(value, &bad))
        return err_set_at(e, ERR_ENCODING, bad, "not UTF-8");
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return err_set_at(e, ERR_SYNTAX, i, "a control character");
    memset(out, 0, CONFIG_TEXT_MAX);
    if (value.n)
        memcpy(out, value.p, value.n);
    return 0;
}

/* "ADDR:PORT [LABEL]" */
static int
set_listen(struct config *c, struct span value, struct err *e)
{
    struct span label = value, where;
    enum tlp ceiling = TLP_RED;
    char addr[64];
    uint16_t port;

    if (!span_split(&label, ' ', &where) || !config_listen_parts(where, addr, &port))
        return err_set(e, ERR_SYNTAX, "ADDRESS:PORT in numbers, as 127.0.0.1:8443 or [::1]:8443");
    label = span_trim(label);
    if (label.n && !tlp_read(label, &ceiling))
        return err_set(e, ERR_SYNTAX, "behind the port stands a TLP label, as TLP:GREEN");
    if (c->listen_n == CONFIG_LISTEN_MAX)
        return err_set(e, ERR_LIMIT, "at most 4 listeners");
    if (set_text(c->listen[c->listen_n], where, e))
        return -1;
    c->ceiling[c->listen_n++] = (uint8_t)ceiling;
    return 0;
}

static int
set_int(const struct config_entry *t, int64_t *out, struct span value, struct err *e)
{
    uint64_t v;

    if (!span_u64(value, (uint64_t)INT64_MAX, &v))
        return err_set(e, ERR_SYNTAX, "not a whole number");
    if ((int64_t)v < t->least || (int64_t)v > t->most)
        return err_set(e, ERR_RANGE, "out of range; jaga config shows it");
    *out = (int64_t)v;
    return 0;
}

/* first: the first "listen" of a file takes the place of the preset. */
static int
set_entry(struct config *c, const struct config_entry *t, struct span value, bool first,
          struct err *e)
{
    void *at = (char *)c + t->offset;

    switch (t->type) {
    case CONFIG_TEXT:
        if ((int64_t)value.n < t->least)
            return err_set(e, ERR_SYNTAX, "must not be empty");
        return set_text(at, value, e);
    case CONFIG_COUNTRY:
        if (value.n != 2 || value.p[0] < 'A' || value.p[0] > 'Z' || value.p[1] < 'A' ||
            value.p[1] > 'Z')
            return err_set(e, ERR_SYNTAX, "two capital letters, as TH");
        return set_text(at, value, e);
    case CONFIG_LISTEN:
        if (first)
            c->listen_n = 0;
        return set_listen(c, value, e);
    case CONFIG_INT:
        return set_int(t, at, value, e);
    case CONFIG_LOG:
        for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
            if (span_is(value, levels[i])) {
                c->log = (enum log_level)i;
                return 0;
            }
        return err_set(e, ERR_SYNTAX, "error, warning, info or debug");
    }
    return err_set(e, ERR_INTERNAL, "unknown type of setting");
}

void
config_preset(struct config *c)
{
    memset(c, 0, sizeof *c);
    for (size_t i = 0; i < config_count; i++)
        (void)set_entry(c, &config_table[i], span_of(config_table[i].preset), true, NULL);
}

static const struct config_entry *
find(struct span name)
{
    for (size_t i = 0; i < config_count; i++)
        if (span_is(name, config_table[i].name))
            return &config_table[i];
    return NULL;
}

int
config_set(struct config *c, struct span name, struct span value, struct err *e)
{
    const struct config_entry *t = find(name);

    if (!t)
        return err_set(e, ERR_USAGE, "no such setting; jaga config lists them");
    return set_entry(c, t, value, true, e);
}

int
config_read(struct span text, struct config *c, struct err *e)
{
    struct config next;
    struct span line;
    uint64_t seen = 0;

    if (text.n > CONFIG_FILE_MAX)
        return err_set(e, ERR_LIMIT, "the configuration is over 64 KiB");
    config_preset(&next);
    for (unsigned n = 1; span_split(&text, '\n', &line); n++) {
        line = span_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        size_t k = 0;
        while (k < line.n && line.p[k] != ' ' && line.p[k] != '\t')
            k++;
        struct span name = span_part(line, 0, k);
        struct span value = span_trim(span_part(line, k, line.n));
        const struct config_entry *t = find(name);
        if (!t) {
            (void)err_set(e, ERR_USAGE, "no such setting; jaga config lists them");
            return err_place(e, "line %u: %.*s", n, (int)(name.n < 64 ? name.n : 64), name.p);
        }
        uint64_t bit = UINT64_C(1) << (t - config_table);
        bool again = (seen & bit) != 0;
        if (again && t->type != CONFIG_LISTEN) {
            (void)err_set(e, ERR_DUPLICATE, "given twice");
            return err_place(e, "line %u: %s", n, t->name);
        }
        if (set_entry(&next, t, value, !again, e))
            return err_place(e, "line %u: %s", n, t->name);
        seen |= bit;
    }
    if (!next.certificate[0] != !next.key[0]) {
        (void)err_set(e, ERR_USAGE, "certificate and key are given together or not at all");
        return err_place(e, "certificate");
    }
    *c = next;
    return 0;
}

static void
print_value(const struct config *c, const struct config_entry *t, struct buf *out)
{
    const void *at = (const char *)c + t->offset;

    switch (t->type) {
    case CONFIG_TEXT:
    case CONFIG_COUNTRY:
        if (*(const char *)at)
            buf_printf(out, "%s %s\n", t->name, (const char *)at);
        else
            buf_printf(out, "# %s\n", t->name);
        break;
    case CONFIG_LISTEN:
        for (unsigned i = 0; i < c->listen_n; i++)
            buf_printf(out, "%s %s%s%s\n", t->name, c->listen[i],
                       c->ceiling[i] == TLP_RED ? "" : " ",
                       c->ceiling[i] == TLP_RED ? "" : tlp_name((enum tlp)c->ceiling[i]));
        break;
    case CONFIG_INT:
        buf_printf(out, "%s %lld\n", t->name, (long long)*(const int64_t *)at);
        break;
    case CONFIG_LOG:
        buf_printf(out, "%s %s\n", t->name, levels[c->log]);
        break;
    }
}

void
config_print(const struct config *c, bool comments, struct buf *out)
{
    for (size_t i = 0; i < config_count; i++) {
        const struct config_entry *t = &config_table[i];
        if (comments) {
            buf_printf(out, "%s# %s", i ? "\n" : "", t->help);
            if (t->type == CONFIG_INT)
                buf_printf(out, " (%lld to %lld%s%s)", (long long)t->least, (long long)t->most,
                           t->unit[0] ? " " : "", t->unit);
            buf_str(out, "\n");
        }
        print_value(c, t, out);
    }
}
