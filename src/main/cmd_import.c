/* Taking in: import, report, pending, release, undo. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cmd.h"
#include "intake_child.h"
#include "mem.h"

#define FOLDER_FILES_MAX 100000 /* files of one folder that import takes */

/* Names, in memory of their own: a folder's are sorted, so that a batch can be repeated. */
struct names {
    char **name;
    size_t n, cap;
};

static int
names_add(struct names *l, const char *name, struct err *e)
{
    if (l->n == FOLDER_FILES_MAX)
        return err_set(e, ERR_LIMIT, "more than 100,000 files");
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        char **p = mem_resize(l->name, cap * sizeof *p);
        if (!p)
            return err_set(e, ERR_MEMORY, "out of memory");
        l->name = p;
        l->cap = cap;
    }
    if (!(l->name[l->n] = mem_strdup(name)))
        return err_set(e, ERR_MEMORY, "out of memory");
    l->n++;
    return 0;
}

static void
names_clear(struct names *l)
{
    for (size_t i = 0; i < l->n; i++)
        mem_free(l->name[i]);
    mem_free(l->name);
}

static int
names_folder(struct names *l, const char *folder, struct err *e)
{
    struct dirent **list;
    int n = scandir(folder, &list, NULL, alphasort), bad = 0;

    if (n < 0) {
        (void)err_set_sys(e, errno, "cannot read the folder");
        return err_place(e, "%.150s", folder);
    }
    for (int i = 0; i < n; i++) {
        char path[4096];
        struct stat st;
        const char *name = list[i]->d_name;
        size_t len = strlen(name);
        bool json = len > 5 && strcmp(name + len - 5, ".json") == 0;
        if (!bad && json &&
            (size_t)snprintf(path, sizeof path, "%s/%s", folder, name) < sizeof path &&
            stat(path, &st) == 0 && S_ISREG(st.st_mode))
            bad = names_add(l, path, e);
        free(list[i]);
    }
    free(list);
    return bad;
}

static int
names_operands(struct names *l, const struct session *s, struct err *e)
{
    for (size_t i = 0; i < s->args.operands; i++) {
        const char *name = s->args.operand[i];
        struct stat st;
        if (strcmp(name, "-") != 0 && stat(name, &st)) {
            (void)err_set_sys(e, errno, "cannot read");
            return err_place(e, "%.150s", name);
        }
        bool folder = strcmp(name, "-") != 0 && S_ISDIR(st.st_mode);
        if (folder ? names_folder(l, name, e) : names_add(l, name, e))
            return -1;
    }
    if (l->n == 0)
        return err_set(e, ERR_MISSING, "the folder holds no .json file");
    return 0;
}

/* All files are opened before the data folder is entered: their names are relative to here. */
static int
open_all(const struct names *l, int *fds, struct err *e)
{
    for (size_t i = 0; i < l->n; i++) {
        fds[i] = strcmp(l->name[i], "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                              : open(l->name[i], O_RDONLY | O_CLOEXEC);
        if (fds[i] < 0) {
            (void)err_set_sys(e, errno, "cannot read");
            return err_place(e, "%.150s", l->name[i]);
        }
    }
    return 0;
}

struct import_talk {
    const struct session *s;
    struct progress p;
};

static void
import_told(void *ctx, const struct import_progress *p)
{
    struct import_talk *t = ctx;

    progress_line(t->s, &t->p, "import", p->objects, 0, "objects");
}

static void
put_audiences(const struct json *list)
{
    for (const struct json *a = list ? list->child : NULL; a; a = a->next) {
        put("      to TLP:");
        put_clean(json_text(a, "label"));
        put(" ");
        put_clean(json_text(a, "group"));
        const struct json *readers = json_get(a, "readers");
        if (readers && readers->child) {
            put(": ");
            for (const struct json *r = readers->child; r; r = r->next) {
                put_clean(r->text);
                put("%s", r->next ? ", " : "");
            }
        }
        put("\n");
    }
}

static void
put_items(const struct json *items)
{
    for (const struct json *i = items ? items->child : NULL; i; i = i->next) {
        put("  %lld  ", (long long)number_of(i, "n"));
        put_clean(json_text(i, "outcome"));
        put("  ");
        put_clean(json_text(i, "id"));
        put("\n");
        put_messages(json_get(i, "messages"), "      ");
        put_audiences(json_get(i, "audiences"));
        const struct json *unseen = json_get(i, "unseen_refs");
        for (const struct json *u = unseen ? unseen->child : NULL; u; u = u->next) {
            put("      refers to ");
            put_clean(json_text(u, "id"));
            put(", not seen by ");
            put_clean(json_text(u, "readers"));
            put("\n");
        }
    }
}

static int
import_words(const struct session *s, const struct names *l, struct tell *t, struct err *e)
{
    const char *profile = args_text(s, "profile"), *source = args_text(s, "source");

    *t = (struct tell){.verb = TELL_BEGIN,
                       .handle = 1,
                       .source = span_of(source      ? source
                                         : l->n == 1 ? l->name[0]
                                                     : "files"),
                       .quarantine = args_flag(s, "quarantine"),
                       .dry = s->dry,
                       .exercise = s->exercise,
                       .items = s->dry || s->loud,
                       .keep_narrow = args_flag(s, "keep-narrow"),
                       .label = span_of(args_text(s, "tlp")),
                       .group = span_of(args_text(s, "group")),
                       .person = span_of(args_text(s, "person"))};
    if (profile && strcmp(profile, "strict") == 0)
        t->profile = TELL_P_STRICT;
    else if (profile && strcmp(profile, "normal") != 0) {
        (void)err_set(e, ERR_USAGE, "normal or strict");
        return err_place(e, "--profile");
    }
    return 0;
}

/* The parser begins with the first file while the node's processes are started. */
static int
import_files(struct session *s, struct client **c, const struct names *l, int *fds,
             struct buf *body, struct err *e)
{
    struct import_talk talk = {.s = s};
    struct import_job *job = NULL;
    struct tell t;
    int r = -1, writer;

    if (import_words(s, l, &t, e) || import_start(&t, &job, e))
        return -1;
    if (import_file(job, fds[0], l->name[0], e) || (*c = client_open(s, e)) == NULL ||
        (writer = client_writer_fd(*c, e)) < 0 || import_writer(job, writer, e))
        goto out;
    for (size_t i = 0; i < l->n; i++)
        if ((i > 0 && import_file(job, fds[i], l->name[i], e)) ||
            import_wait(job, import_told, &talk, e))
            goto out;
    progress_end(&talk.p);
    r = import_end(job, body, e);
out:
    progress_end(&talk.p);
    import_free(job);
    return r;
}

static int
import_report(const struct session *s, const struct json *a, struct span body)
{
    const struct json *counts = json_get(a, "counts");

    if (s->json) {
        put_bytes(body);
        put("\n");
    } else {
        if (s->dry)
            put("would be: ");
        else
            put("batch %lld: ", (long long)number_of(a, "batch"));
        put_counts(counts, ", ");
        put("\n");
        put_items(json_get(a, "items"));
        if (!s->dry)
            say(s, "jaga report %lld says more", (long long)number_of(a, "batch"));
    }
    return number_of(counts, "refused") ? EXIT_PARTLY : EXIT_OK;
}

int
cmd_import(struct session *s)
{
    struct err e = ERR_INIT;
    struct names l = {0};
    struct buf body;
    struct arena *arena = arena_new(1u << 30);
    struct json_parser *parser = json_parser_new();
    struct client *c = NULL;
    const struct json *answer = NULL;
    int *fds = NULL, status = EXIT_FAILED;

    buf_init(&body, 64u << 20);
    if (!arena || !parser)
        (void)err_set(&e, ERR_MEMORY, "out of memory");
    else if (names_operands(&l, s, &e) == 0 && (fds = mem_alloc(l.n * sizeof *fds)) != NULL) {
        for (size_t i = 0; i < l.n; i++)
            fds[i] = -1;
        if (open_all(&l, fds, &e) == 0 && import_files(s, &c, &l, fds, &body, &e) == 0 &&
            (answer = json_parse(parser, buf_view(&body), arena, &e)) != NULL)
            status = import_report(s, answer, buf_view(&body));
    }
    if (!answer)
        status = fail(s, &e);
    for (size_t i = 0; fds && i < l.n; i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    mem_free(fds);
    names_clear(&l);
    client_close(c);
    json_parser_free(parser);
    arena_free(arena);
    buf_clear(&body);
    return put_end(s, status);
}

/* -- report
 * ---------------------------------------------------------------------------------------- */

static void
put_batch(const struct json *b)
{
    put("%-5lld ", (long long)number_of(b, "batch"));
    put_when(json_text(b, "time"));
    put("  ");
    put_clean(json_text(b, "by"));
    put("  ");
    put_clean(json_text(b, "source"));
    put("  (");
    put_clean(json_text(b, "state"));
    put(")\n      ");
    put_counts(json_get(b, "counts"), ", ");
    put("\n");
}

/* What was found, and which rule of which clause it breaks. */
static void
put_rule(const struct json *m)
{
    put_clean(json_text(m, "text"));
    put(" (");
    put_clean(json_text(m, "rule"));
    if (json_text(m, "clause").n) {
        put("; ");
        put_clean(json_text(m, "clause"));
    }
    put(")\n");
}

static void
put_report_items(const struct json *items)
{
    for (const struct json *i = items ? items->child : NULL; i; i = i->next) {
        put("  %lld  ", (long long)number_of(i, "n"));
        put_clean(json_text(i, "outcome"));
        put("  ");
        put_clean(json_text(i, "id"));
        put("\n      ");
        if (json_text(i, "pointer").n) {
            put_clean(json_text(i, "pointer"));
            put(": ");
        }
        put_rule(i);
    }
}

static void
put_causes(const struct json *list)
{
    for (const struct json *m = list ? list->child : NULL; m; m = m->next) {
        put("%8lld  ", (long long)number_of(m, "count"));
        put_clean(json_text(m, "outcome"));
        put(": ");
        put_rule(m);
    }
}

static void
show_report(const struct json *a)
{
    put_batch(a);
    put_causes(json_get(a, "causes"));
    put_report_items(json_get(a, "items"));
}

static void
show_batches(const struct json *a)
{
    const struct json *list = json_get(a, "batches");

    for (const struct json *b = list ? list->child : NULL; b; b = b->next)
        put_batch(b);
}

int
cmd_report(struct session *s)
{
    struct err e = ERR_INIT;
    struct ask q = {.verb = s->args.operands ? ASK_REPORT : ASK_BATCHES};

    if (limit_option(s, 20, &q.q.limit, &e) ||
        (s->args.operands && number_operand(s->args.operand[0], &q.number, &e)))
        return fail(s, &e);
    return ask_and_show(s, &q, s->args.operands ? show_report : show_batches);
}

/* -- pending, release, undo
 * ------------------------------------------------------------------------ */

static void
show_decided(const struct json *a)
{
    put("%lld: ", (long long)number_of(a, "n"));
    put_clean(json_text(a, "outcome"));
    put("\n");
}

static void
show_pending(const struct json *a)
{
    const struct json *list = json_get(a, "pending");

    for (const struct json *p = list ? list->child : NULL; p; p = p->next) {
        put("%-5lld ", (long long)number_of(p, "n"));
        put_when(json_text(p, "time"));
        put("  ");
        put_clean(json_text(p, "reason"));
        put("  ");
        put_clean(json_text(p, "id"));
        put("\n      ");
        put_clean(json_text(p, "text"));
        put("\n");
    }
    if (!list || !list->child)
        put("nothing waits\n");
}

int
cmd_pending(struct session *s)
{
    struct err e = ERR_INIT;
    struct ask q = {.verb = ASK_PENDING};
    struct tell t = {.verb = TELL_DECIDE};

    if (s->args.operands == 2) {
        t.text = span_of(s->args.operand[0]);
        if (!span_is(t.text, "accept") && !span_is(t.text, "drop"))
            (void)err_set(&e, ERR_USAGE, "accept or drop");
        else if (number_operand(s->args.operand[1], &t.number, &e) == 0)
            return tell_and_show(s, &t, show_decided);
        return fail(s, &e);
    }
    if (s->args.operands == 1) {
        (void)err_set(&e, ERR_USAGE, "which one? jaga pending lists them");
        return fail(s, &e);
    }
    if (limit_option(s, 50, &q.q.limit, &e))
        return fail(s, &e);
    return ask_and_show(s, &q, show_pending);
}

static void
show_released(const struct json *a)
{
    put("batch %lld: ", (long long)number_of(a, "batch"));
    put_counts(json_get(a, "counts"), ", ");
    put("\n");
}

int
cmd_release(struct session *s)
{
    struct err e = ERR_INIT;
    struct tell t = {.verb = TELL_RELEASE};

    if (number_operand(s->args.operand[0], &t.number, &e))
        return fail(s, &e);
    return tell_and_show(s, &t, show_released);
}

static void
show_undone(const struct json *a)
{
    const struct json *later = json_get(a, "later");

    put("batch %lld: %lld erased\n", (long long)number_of(a, "batch"),
        (long long)number_of(a, "erased"));
    put_served(json_get(a, "served"), "  was served to ", " until ");
    for (const struct json *b = later ? later->child : NULL; b; b = b->next) {
        int64_t v;
        if (json_is_int(b, &v))
            put("  batch %lld had found a row of it known\n", (long long)v);
    }
    if (json_text(a, "note").n) {
        put("  ");
        put_clean(json_text(a, "note"));
        put("\n");
    }
}

int
cmd_undo(struct session *s)
{
    struct err e = ERR_INIT;
    struct tell t = {.verb = TELL_UNDO};

    if (number_operand(s->args.operand[0], &t.number, &e))
        return fail(s, &e);
    return tell_and_show(s, &t, show_undone);
}
