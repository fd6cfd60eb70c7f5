/* The node itself: make, run, look at, copy. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "clock.h"
#include "cmd.h"
#include "crypto.h"
#include "exchange.h"
#include "keep.h"
#include "folder.h"
#include "json_write.h"
#include "mem.h"
#include "parent.h"
#include "sandbox.h"
#include "tls_cert.h"

/* -- init
 * ------------------------------------------------------------------------------------------ */

static int
init_config(const struct session *s, struct config *c, struct err *e)
{
    static const char *const texts[] = {"name", "country", "contact"};
    const char *v;
    size_t at = 0;
    bool first = true;

    config_preset(c);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if ((v = args_text(s, texts[i])) && config_set(c, span_of(texts[i]), span_of(v), e))
            return err_place(e, "--%s", texts[i]);
    while ((v = args_each(s, "listen", &at)) != NULL) {
        struct config one = *c;
        if (config_set(&one, SPAN("listen"), span_of(v), e))
            return err_place(e, "--listen");
        if (first)
            c->listen_n = 0;
        first = false;
        if (c->listen_n == CONFIG_LISTEN_MAX)
            return err_set(e, ERR_USAGE, "at most 4 listeners");
        memcpy(c->listen[c->listen_n], one.listen[0], CONFIG_TEXT_MAX);
        c->ceiling[c->listen_n++] = one.ceiling[0];
    }
    return 0;
}

static int
init_certificate(const struct config *c, struct tls_cert_info *info, struct err *e)
{
    struct span hosts[CONFIG_LISTEN_MAX];
    char addr[CONFIG_LISTEN_MAX][64];
    uint16_t port;
    struct buf cert, key;
    int r = -1;

    for (unsigned i = 0; i < c->listen_n; i++) {
        (void)config_listen_parts(span_of(c->listen[i]), addr[i], &port);
        hosts[i] = span_of(addr[i]);
    }
    buf_init(&cert, TLS_PEM_MAX);
    buf_init(&key, TLS_PEM_MAX);
    if (tls_cert_make(hosts, c->listen_n, clock_wall_us(NULL), &cert, &key, e) == 0 &&
        tls_cert_read(buf_view(&cert), buf_view(&key), clock_wall_us(NULL), info, e) == 0 &&
        folder_write_file(FOLDER_KEY, buf_view(&key), e) == 0 &&
        folder_write_file(FOLDER_CERT, buf_view(&cert), e) == 0)
        r = 0;
    if (key.p)
        mem_wipe(key.p, key.n);
    buf_clear(&key);
    buf_clear(&cert);
    return r;
}

int
cmd_init(struct session *s)
{
    struct config c;
    struct tls_cert_info info;
    struct err e = ERR_INIT;

    if (init_config(s, &c, &e) || crypto_start(&e) || folder_create(data_dir(s), &e))
        return fail(s, &e);
    struct exchange_init init = {
        .name = span_of(c.name), .country = span_of(c.country), .contact = span_of(c.contact)};
    /* The configuration comes last: a folder without one is no node, so init can be repeated. */
    if (exchange_make(FOLDER_STORE, &init, NULL, &e) || init_certificate(&c, &info, &e) ||
        folder_write_config(&c, &e))
        return fail(s, &e);
    if (s->json) {
        struct buf b;
        struct json_out o;
        buf_init(&b, 1u << 16);
        json_out_init(&o, &b);
        json_begin_object(&o);
        json_member_str(&o, "dir", data_dir(s));
        json_member_str(&o, "name", c.name);
        json_member_str(&o, "country", c.country);
        json_member_str(&o, "listen", c.listen[0]);
        json_member_str(&o, "fingerprint", info.fingerprint);
        json_end_object(&o);
        put_bytes(buf_view(&b));
        put("\n");
        buf_clear(&b);
    } else {
        put("node         %s (%s) in %s\n", c.name, c.country, data_dir(s));
        put("certificate  %s\n", info.fingerprint);
    }
    say(s, "Next: jaga user add NAME --role publisher; jaga serve");
    return put_end(s, EXIT_OK);
}

/* -- serve
 * ----------------------------------------------------------------------------------------- */

static void
ready(const struct config *c, void *ctx)
{
    (void)ctx;
    put("jaga " JAGA_VERSION " ready: %s on", c->name);
    for (unsigned i = 0; i < c->listen_n; i++)
        put(" https://%s", c->listen[i]);
    put("\n");
    (void)fflush(stdout);
}

int
cmd_serve(struct session *s)
{
    struct config c;
    struct err e = ERR_INIT;

    if (folder_enter(data_dir(s), &e) || folder_read_config(&c, &e))
        return fail(s, &e);
    if (s->quiet && c.log > LOG_WARN)
        c.log = LOG_WARN;
    if (s->loud)
        c.log = LOG_DEBUG;
    /* Processes that a command has started for itself end first. */
    int users = folder_lock(FOLDER_USERS, true, true, &e);
    if (users < 0)
        return fail(s, &e);
    (void)close(users);
    struct parent_options o = {
        .config = &c, .serve = true, .ready_fd = -1, .guard_fd = -1, .ready = ready};
    if (parent_run(&o, &e))
        return fail(s, &e);
    return put_end(s, EXIT_OK);
}

/* -- status, doctor
 * -------------------------------------------------------------------------------- */

static void
put_problems(const struct json *list)
{
    for (const struct json *p = list ? list->child : NULL; p; p = p->next) {
        put("! ");
        put_clean(json_text(p, "text"));
        if (json_text(p, "command").n) {
            put("\n    ");
            put_clean(json_text(p, "command"));
        }
        put("\n");
    }
}

int
cmd_status(struct session *s)
{
    struct err e = ERR_INIT;
    struct client *c = client_open(s, &e);
    struct ask q = {.verb = ASK_HEALTH};

    if (!c)
        return fail(s, &e);
    const struct json *a = client_ask(c, &q, &e);
    int status = a ? EXIT_OK : fail(s, &e);
    if (a && !put_json(s, c)) {
        const struct json *problems = json_get(a, "problems");
        put_problems(problems);
        if (!problems || !problems->child)
            put("no problems\n");
        if (client_started(c))
            put("! the node does not run\n    jaga serve\n");
        put("\nnode         ");
        put_clean(json_text(a, "node"));
        put("\norganisation ");
        put_clean(json_text(a, "organisation"));
        put("\nversion      ");
        put_clean(json_text(a, "version"));
        put("\nobjects      %lld that the operator may see\n", (long long)number_of(a, "objects"));
        put("batches      %lld, pending %lld\n", (long long)number_of(a, "batches"),
            (long long)number_of(a, "pending"));
        for (unsigned i = 0; i < client_config(c)->listen_n; i++)
            put("address      https://%s\n", client_config(c)->listen[i]);
    }
    client_close(c);
    return put_end(s, status);
}

struct check {
    bool bad;
    const struct session *s;
};

static void
finding(struct check *c, bool good, const char *what, const char *help)
{
    put("%s %s\n", good ? "ok " : "!  ", what);
    if (!good) {
        put("      %s\n", help);
        c->bad = true;
    }
}

static bool
kernel_lists(const char *path, const char *word)
{
    char text[4096] = "";
    FILE *f = fopen(path, "re");

    if (!f)
        return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    (void)fclose(f);
    text[n] = '\0';
    return strstr(text, word) != NULL;
}

int
cmd_doctor(struct session *s)
{
    struct check c = {.s = s};
    struct config conf;
    struct err e = ERR_INIT;
    struct statvfs fs;
    char line[300];

    if (folder_enter(data_dir(s), &e) || folder_read_config(&conf, &e))
        return fail(s, &e);
    finding(&c, true, "the folder is a node's, and nobody else may enter it", "");
    finding(&c, true, "the configuration is valid", "");
    bool space = statvfs(".", &fs) == 0;
    unsigned long long free_mib = space ? (unsigned long long)fs.f_bavail * fs.f_frsize >> 20 : 0;
    (void)snprintf(line, sizeof line, "%llu MiB free", free_mib);
    finding(&c, free_mib >= 1024, line, "below 1 GiB: free some space");
    finding(&c, kernel_lists("/proc/sys/kernel/seccomp/actions_avail", "kill_process"),
            "the kernel can kill a process that leaves its sandbox (seccomp)",
            "this kernel lacks seccomp: the processes will not start");
    int landlock = sandbox_landlock();
    if (landlock)
        put("ok  the kernel confines file access (Landlock, version %d)\n", landlock);
    else
        put("-   this kernel has no Landlock: seccomp alone confines file access\n");
    finding(&c, clock_wall_us(NULL) > INT64_C(1735689600000000), "the clock is plausible",
            "the clock shows a time before 2025: set it, or arrivals will be wrong");
    struct buf cert, key;
    struct tls_cert_info info = {.days_left = -1};
    buf_init(&cert, TLS_PEM_MAX);
    buf_init(&key, TLS_PEM_MAX);
    bool good = folder_read_file(conf.certificate[0] ? conf.certificate : FOLDER_CERT, TLS_PEM_MAX,
                                 &cert, &e) == 0 &&
                folder_read_file(conf.key[0] ? conf.key : FOLDER_KEY, TLS_PEM_MAX, &key, &e) == 0 &&
                tls_cert_read(buf_view(&cert), buf_view(&key), clock_wall_us(NULL), &info, &e) == 0;
    (void)snprintf(line, sizeof line, "certificate good for %lld days, fingerprint %s",
                   (long long)info.days_left, info.fingerprint);
    finding(&c, good && info.days_left > 30, good ? line : "certificate or key cannot be used",
            "jaga config certificate FILE and jaga config key FILE set others");
    if (key.p)
        mem_wipe(key.p, key.n);
    buf_clear(&key);
    buf_clear(&cert);
    return put_end(s, c.bad ? EXIT_FAILED : EXIT_OK);
}

/* -- config
 * ---------------------------------------------------------------------------------------- */

static int
config_show(const struct config *c, const char *name, struct err *e)
{
    struct buf b;
    struct span text, line;
    bool found = false;

    buf_init(&b, CONFIG_FILE_MAX);
    config_print(c, !name, &b);
    if (!name) {
        put_bytes(buf_view(&b));
        found = true;
    } else {
        text = buf_view(&b);
        while (span_split(&text, '\n', &line))
            if (span_starts(line, name) && line.n > strlen(name) && line.p[strlen(name)] == ' ') {
                put_bytes(span_part(line, strlen(name) + 1, line.n));
                put("\n");
                found = true;
            }
        for (size_t i = 0; i < config_count; i++)
            found = found || strcmp(config_table[i].name, name) == 0;
    }
    buf_clear(&b);
    if (!found) {
        (void)err_set(e, ERR_USAGE, "no such setting; jaga config lists them");
        return err_place(e, "%.100s", name);
    }
    return 0;
}

int
cmd_config(struct session *s)
{
    struct config c;
    struct err e = ERR_INIT;
    const char *check = args_text(s, "check");
    const char *name = s->args.operands > 0 ? s->args.operand[0] : NULL;

    if (check) {
        struct buf b;
        buf_init(&b, CONFIG_FILE_MAX + 1);
        int bad =
            folder_read_file(check, CONFIG_FILE_MAX, &b, &e) || config_read(buf_view(&b), &c, &e);
        buf_clear(&b);
        if (bad)
            return fail(s, &e);
        say(s, "%s is valid", check);
        return EXIT_OK;
    }
    if (folder_enter(data_dir(s), &e) || folder_read_config(&c, &e))
        return fail(s, &e);
    if (s->args.operands < 2)
        return config_show(&c, name, &e) ? fail(s, &e) : put_end(s, EXIT_OK);
    if (config_set(&c, span_of(name), span_of(s->args.operand[1]), &e)) {
        (void)err_place(&e, "%s", name);
        return fail(s, &e);
    }
    if (s->dry) {
        say(s, "valid; nothing was written");
        return config_show(&c, NULL, &e) ? fail(s, &e) : put_end(s, EXIT_OK);
    }
    if (folder_write_config(&c, &e))
        return fail(s, &e);
    say(s, "written to " FOLDER_CONFIG "; a running node takes it at its next start");
    return EXIT_OK;
}

/* -- verify, backup, restore
 * ----------------------------------------------------------------------- */

struct verify_talk {
    const struct session *s;
    struct progress p;
    uint64_t problems;
};

static int
problem(void *ctx, const char *what, const char *place)
{
    struct verify_talk *t = ctx;

    progress_end(&t->p);
    t->problems++;
    put("%s: %s\n", place, what);
    return 0;
}

static void
verify_progress(void *ctx, uint64_t done, uint64_t total)
{
    struct verify_talk *t = ctx;

    progress_line(t->s, &t->p, "verify", done, total, "rows");
}

int
cmd_verify(struct session *s)
{
    struct verify_talk t = {.s = s};
    struct exchange_check counts = {0};
    struct err e = ERR_INIT;

    /* The processes run meanwhile: a reader needs the writer's index of the log. */
    struct client *c = client_open(s, &e);
    int bad = !c || crypto_start(&e) ||
              exchange_verify(FOLDER_STORE, problem, verify_progress, &t, &counts, &e);
    progress_end(&t.p);
    client_close(c);
    if (bad)
        return fail(s, &e);
    if (s->json)
        put("{\"publications\":%llu,\"erased\":%llu,\"streams\":%llu,\"index_rows\":%llu,"
            "\"problems\":%llu}\n",
            (unsigned long long)counts.publications, (unsigned long long)counts.erased,
            (unsigned long long)counts.streams, (unsigned long long)counts.index_rows,
            (unsigned long long)t.problems);
    else
        put("%llu publications (%llu erased) in %llu streams, %llu index rows: %s\n",
            (unsigned long long)counts.publications, (unsigned long long)counts.erased,
            (unsigned long long)counts.streams, (unsigned long long)counts.index_rows,
            t.problems ? "PROBLEMS" : "all is well");
    return put_end(s, t.problems ? EXIT_FAILED : EXIT_OK);
}

int
cmd_backup(struct session *s)
{
    struct err e = ERR_INIT;
    char *path;
    char cwd[4096];
    size_t n;

    /* The writer works in the data folder: tell it an absolute path.  It may write only there, so
     * it leaves the copy in the folder and we move it. */
    const char *to = s->args.operand[0];
    if (!getcwd(cwd, sizeof cwd)) {
        (void)err_set_sys(&e, errno, "cannot tell the current folder");
        return fail(s, &e);
    }
    n = strlen(cwd) + strlen(to) + 2;
    path = mem_alloc(n);
    if (!path) {
        (void)err_set(&e, ERR_MEMORY, "out of memory");
        return fail(s, &e);
    }
    (void)snprintf(path, n, "%s%s%s", to[0] == '/' ? "" : cwd, to[0] == '/' ? "" : "/", to);
    struct client *c = client_open(s, &e);
    struct tell t = {.verb = TELL_BACKUP, .text = SPAN("data/backup.new")};
    (void)unlink("data/backup.new");
    const struct json *a = c ? client_tell(c, &t, &e) : NULL;
    int status = EXIT_FAILED;
    if (a && folder_move_file("data/backup.new", path, &e) == 0) {
        status = EXIT_OK;
        struct stat st = {0};
        (void)stat(path, &st);
        if (s->json)
            put("{\"bytes\":%lld}\n", (long long)st.st_size);
        else
            put("%s  %lld bytes\n", path, (long long)st.st_size);
    } else {
        status = fail(s, &e);
    }
    client_close(c);
    mem_free(path);
    return put_end(s, status);
}

int
cmd_restore(struct session *s)
{
    struct err e = ERR_INIT;
    struct exchange_restored r = {0};
    char from[4200], cwd[4096] = "";
    const char *file = s->args.operand[0];

    if (file[0] != '/' && !getcwd(cwd, sizeof cwd)) {
        (void)err_set_sys(&e, errno, "cannot tell the current folder");
        return fail(s, &e);
    }
    if ((size_t)snprintf(from, sizeof from, "%s%s%s", cwd, cwd[0] ? "/" : "", file) >=
        sizeof from) {
        (void)err_set(&e, ERR_LIMIT, "the file's name is too long");
        return fail(s, &e);
    }
    if (folder_enter(data_dir(s), &e) || crypto_start(&e))
        return fail(s, &e);
    /* Waits for processes that another command has started; they end by themselves. */
    int users = folder_lock(FOLDER_USERS, false, true, &e);
    int lock = users < 0 ? -1 : folder_lock(FOLDER_LOCK, false, false, &e);
    if (lock < 0) {
        if (e.code == ERR_BUSY)
            (void)err_set(&e, ERR_CONFLICT, "the node runs: stop it first");
        return fail(s, &e);
    }
    int bad = exchange_restore(from, FOLDER_STORE, s->dry, &r, &e);
    (void)close(lock);
    (void)close(users);
    if (bad)
        return fail(s, &e);
    put("%s: %llu publications; %llu erasures applied that are newer than the backup\n",
        s->dry ? "would restore" : "restored", (unsigned long long)r.publications,
        (unsigned long long)r.erased);
    if (!s->dry)
        say(s, "The streams go on in a new incarnation.  Logins are as they were: jaga user list");
    return put_end(s, EXIT_OK);
}
