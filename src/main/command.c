#include "command.h"

#include <string.h>
#include "cmd.h"

#define MANY OPERANDS_MAX

static const struct option init_options[] = {
    {"name", 0, "NAME", "the team's name, as others see it"},
    {"country", 0, "CC", "two letters of ISO 3166-1"},
    {"listen", 0, "ADDR:PORT", "where to serve HTTPS; may be repeated (127.0.0.1:8443)"},
    {"contact", 0, "TEXT", "how to reach the team: shown to everybody"},
    {NULL, 0, NULL, NULL}};

static const struct option config_options[] = {
    {"check", 0, "FILE", "check this file instead of the node's own"}, {NULL, 0, NULL, NULL}};

static const struct option import_options[] = {
    {"tlp", 0, "LABEL", "at least this label; also for what has none"},
    {"group", 'g', "GROUP", "publish to this group"},
    {"person", 0, "USER", "TLP:RED goes to this person alone"},
    {"profile", 0, "PROFILE", "normal (keep with defect) or strict (refuse)"},
    {"quarantine", 0, NULL, "keep all of it back until jaga release"},
    {"keep-narrow", 0, NULL, "keep own objects that refer to something narrower"},
    {"source", 0, "TEXT", "what the batch is called in reports (the file's name)"},
    {NULL, 0, NULL, NULL}};

static const struct option page_options[] = {{"limit", 'l', "N", "at most so many"},
                                             {NULL, 0, NULL, NULL}};

static const struct option get_options[] = {{"versions", 0, NULL, "all versions, the best first"},
                                            {NULL, 0, NULL, NULL}};

#define FILTERS                                                                                    \
    {"type", 't', "TYPE", "a STIX type"}, {"id", 0, "ID", "an object's id"},                       \
        {"label", 0, "TEXT", "one of the object's labels"},                                        \
        {"tlp", 0, "LABEL", "shown under this TLP label"},                                         \
        {"group", 'g', "GROUP", "published to this group"},                                        \
        {"since", 0, "TIME", "arrived since: 2h, 7d, 2026-01-31, RFC 3339"},                       \
        {"until", 0, "TIME", "arrived before"}, {"publisher", 0, "NAME", "who published it"},      \
        {"creator", 0, "NAME|ID", "who created it"},                                               \
        {"external-id", 'x', "ID", "CVE-2024-3094, T1566, ..."},                                   \
        {"value", 0, "VALUE", "an address, network, domain, URL, mail, hash or file name"},        \
        {"confidence", 0, "N[-M]", "between these, 0 to 100"},                                     \
        {"batch", 'b', "N", "came with this import"},                                              \
        {"defect", 0, "RULE|*", "kept with this defect"},                                          \
    {                                                                                              \
        "revoked", 0, NULL, "revoked ones alone"                                                   \
    }

static const struct option search_options[] = {
    FILTERS, {"limit", 'l', "N", "at most so many (50)"}, {NULL, 0, NULL, NULL}};

static const struct option export_options[] = {
    FILTERS,
    {"format", 'f', "FORMAT", "bundle, ndjson or ids"},
    {"text", 0, "TEXT", "that contain this text"},
    {"output", 'o', "FILE", "instead of standard output; written whole or not at all"},
    {NULL, 0, NULL, NULL}};

static const struct option publish_options[] = {
    {"group", 'g', "GROUP", "to this group"},
    {"tlp", 0, "LABEL", "under this label (relaxing is possible here alone)"},
    {"person", 0, "USER", "TLP:RED: to this person"},
    {NULL, 0, NULL, NULL}};

static const struct option user_options[] = {
    {"role", 0, "ROLE", "reader, analyst, publisher or admin"},
    {"org", 0, "ORG", "belongs to this organisation (own)"},
    {"staff", 0, "yes|no", "reads TLP:AMBER+STRICT of its organisation (yes)"},
    {"ceiling", 0, "LABEL", "the strictest label it may read (TLP:RED)"},
    {"exercise", 0, "yes|no", "takes part in exercises (no)"},
    {"password-file", 0, "FILE|-", "take the password from here; else a random one is made"},
    {"prompt", 0, NULL, "ask for the password"},
    {NULL, 0, NULL, NULL}};

static const struct option token_options[] = {
    {"user", 0, "USER", "acts for this user, never with more than its rights"},
    {"scope", 0, "SCOPE", "read, write or read,write (read)"},
    {"ends", 0, "TIME", "ends then: 90d, 2027-01-31"},
    {"ceiling", 0, "LABEL", "the strictest label it may read (TLP:AMBER)"},
    {"staff", 0, "yes|no", "reads TLP:AMBER+STRICT (no)"},
    {"exercise", 0, "yes|no", "the exercise side (no)"},
    {"group", 'g', "GROUP", "limited to this group"},
    {"profile", 0, "PROFILE", "normal or strict: for what it posts"},
    {NULL, 0, NULL, NULL}};

static const struct option group_options[] = {
    {"title", 0, "TEXT", "what it is called"},
    {"charter", 0, "TEXT", "who admits, what it is for"},
    {"past", 0, "yes|no", "newcomers see what was published before (yes)"},
    {"add", 0, "ORG", "a new member; may be repeated"},
    {"drop", 0, "ORG", "a member who leaves; may be repeated"},
    {NULL, 0, NULL, NULL}};

static const struct option org_options[] = {
    {"title", 0, "TEXT", "what it is called"},
    {"identity", 0, "ID", "its STIX identity; made where it has none"},
    {"member", 0, "ORG", "a constituent of this member (own)"},
    {"kind", 0, "KIND", "constituent, partner (outside the region) or member"},
    {"ends", 0, "TIME", "its access ends then: 90d, 2027-01-31"},
    {NULL, 0, NULL, NULL}};

static const struct option binding_options[] = {{"org", 0, "ORG", "the organisation"},
                                                {NULL, 0, NULL, NULL}};

static const struct option audit_options[] = {{"limit", 'l', "N", "at most so many (50)"},
                                              {NULL, 0, NULL, NULL}};

#define NODE   "The node"
#define TAKE   "Taking in"
#define READ   "Reading"
#define SHARE  "Sharing and taking back"
#define RIGHTS "Who may"
#define HELP   "Help"

const struct command command_table[] = {
    {"init", NODE, "", "make a node in the data folder",
     "Makes the data folder with its configuration, an empty store, the node's own organisation "
     "and\n"
     "a TLS certificate, and prints the certificate's fingerprint.",
     "jaga init --name 'Example CERT' --country TH\tmake a node in ./node", 0, 0, 0, init_options,
     cmd_init},
    {"serve", NODE, "", "run the node",
     "Starts the node's processes and prints one line when it is ready.  Ctrl-C or SIGTERM end it "
     "in\n"
     "order.  Log lines go to standard error.",
     "jaga -C /var/lib/jaga serve\tserve in the foreground, as a service manager wants it", 0, 0, 0,
     NULL, cmd_serve},
    {"status", NODE, "", "how the node is, problems first",
     "Each problem comes with the command that helps.", "jaga status\tlook", 0, 0, 0, NULL,
     cmd_status},
    {"doctor", NODE, "", "check what the node needs from this machine",
     "Folder modes, free space, the certificate, the kernel's sandboxes, the clock, the ports.",
     "jaga doctor\tcheck", 0, 0, 0, NULL, cmd_doctor},
    {"config", NODE, "[NAME [VALUE]]", "show, check or change the configuration",
     "Without operands, prints the configuration.  With a name, its value; with a value, writes "
     "it\n"
     "to jaga.conf (a node that runs takes it at its next start).  With -n nothing is written.",
     "jaga config\tprint it\njaga config listen 0.0.0.0:8443\tchange the listener\n"
     "jaga config --check new.conf\tcheck a file",
     CMD_DRY, 0, 2, config_options, cmd_config},
    {"verify", NODE, "", "recompute and compare everything in the store",
     "Every hash, commitment, stream, index row and counter.  Reads only; the node may run.",
     "jaga verify\tcheck the store", 0, 0, 0, NULL, cmd_verify},
    {"backup", NODE, "FILE", "copy the store while it runs",
     "The copy is consistent and synced when the command ends.  It holds objects and rights, but\n"
     "neither passwords nor the TLS key.",
     "jaga backup /mnt/usb/jaga-2026-01-31.db\tcopy", 0, 1, 1, NULL, cmd_backup},
    {"restore", NODE, "FILE", "put a backup in place of the store",
     "The node must not run.  What was withdrawn since the backup stays withdrawn; streams go on "
     "in\n"
     "a new incarnation.",
     "jaga restore /mnt/usb/jaga-2026-01-31.db\tgo back", CMD_DRY, 1, 1, NULL, cmd_restore},

    {"import", TAKE, "FILE...|-", "take in STIX 2.1: files, folders, a pipe",
     "Bundles, envelopes, arrays and newline-delimited objects of any size.  Each import is a\n"
     "numbered batch.  Broken must-rules are kept as defects unless --profile strict.\n\n"
     "With -n each object's outcome is shown, to whom it would go, who is newly included and "
     "which\n"
     "references its readers would not see.",
     "jaga import enterprise-attack.json\ttake in a file\n"
     "curl -s URL | jaga import - --tlp TLP:GREEN\ttake in a pipe, GREEN where it says nothing\n"
     "jaga import -n bundle.json\tlook first",
     CMD_DRY | CMD_SIDE, 1, MANY, import_options, cmd_import},
    {"report", TAKE, "[BATCH]", "what became of an import",
     "Outcomes counted by cause; each refusal with its place, rule and clause of the standard.\n"
     "Without a number, the latest batches.",
     "jaga report 1\tthe first import\njaga report\tall batches, newest first", 0, 0, 1,
     page_options, cmd_report},
    {"pending", TAKE, "[accept|drop N]", "what waits for a decision or a marking",
     "Objects whose marking is not known yet, relaxed versions, proposals and quarantined "
     "imports.\n"
     "They are seen by nobody.",
     "jaga pending\tlist\njaga pending drop 12\tthrow one away", 0, 0, 2, page_options,
     cmd_pending},
    {"release", TAKE, "BATCH", "publish an import from quarantine", "",
     "jaga release 3\tlet it out", 0, 1, 1, NULL, cmd_release},
    {"undo", TAKE, "BATCH", "erase what an import published",
     "Says who has already been served, and which later imports had found rows of it known.  A\n"
     "plain TAXII reader learns of a mistake only by jaga revoke.",
     "jaga undo 3\ttake it back", 0, 1, 1, NULL, cmd_undo},

    {"get", READ, "ID", "the bytes of an object", "Prints the object as it is stored (RFC 8785).",
     "jaga get indicator--...\tone object\njaga get ID --versions\tall its versions", CMD_READS, 1,
     1, get_options, cmd_get},
    {"show", READ, "ID", "an object for people: relations, audiences, defects", "",
     "jaga show ID\tlook at it", CMD_READS, 1, 1, NULL, cmd_show},
    {"search", READ, "[TEXT]", "find objects",
     "By text in any script, by value (also inside patterns; defanged forms too), and by filters.\n"
     "Newest first.",
     "jaga search 198.51.100.7\tan address, wherever it stands\n"
     "jaga search --value 198.51.100.0/24 --since 7d\ta network\n"
     "jaga search 'hóa đơn' --type malware\ttext",
     CMD_READS, 0, 1, search_options, cmd_search},
    {"related", READ, "ID", "what refers to an object, and to what it refers", "",
     "jaga related ID\tits neighbours", CMD_READS, 1, 1, page_options, cmd_related},
    {"log", READ, "ID", "what happened to an object", "", "jaga log ID\tits history", 0, 1, 1, NULL,
     cmd_log},
    {"export", READ, "", "write objects as a bundle, lines or ids",
     "What the filters leave, each object at its best version, oldest first.",
     "jaga export --since 7d > week.json\ta bundle\njaga export --format ids --type malware\tids",
     CMD_READS, 0, 0, export_options, cmd_export},

    {"publish", SHARE, "ID", "publish an object to a group",
     "Its best version that you see, to one audience more.",
     "jaga publish ID --group banking\tshare", 0, 1, 1, publish_options, cmd_publish},
    {"revoke", SHARE, "ID", "say that an object is wrong",
     "Publishes a version with revoked: true to every audience that has one, so that all who took "
     "it\n"
     "learn of it.",
     "jaga revoke ID\tit was a shared proxy", 0, 1, 1, NULL, cmd_revoke},
    {"withdraw", SHARE, "ID", "take back what should not have been shared",
     "Erases the bytes wherever they are here; only the commitment stays.  Says who has already\n"
     "been served.",
     "jaga withdraw ID\ttake it back", 0, 1, 1, NULL, cmd_withdraw},
    {"who", SHARE, "ID", "who can see it, and who has been served it", "", "jaga who ID\tlook", 0,
     1, 1, NULL, cmd_who},
    {"why", SHARE, "ID PRINCIPAL", "why somebody sees an object, or does not", "",
     "jaga why ID somchai\tthe deciding rule", 0, 2, 2, NULL, cmd_why},
    {"proof", SHARE, "make ID | check FILE", "prove that something was said, to whom and by whom",
     "Every publication stands in a stream whose tree the node signs.  make writes a file that a\n"
     "stranger can check without a node: the object, the audience, the entry's place in the tree\n"
     "and the publisher's signature.  It discloses all of these.  check says whether it holds, "
     "and\n"
     "prints the key that has to be compared with what is known of the publisher.",
     "jaga proof make ID > incident.proof\tmake one\n"
     "jaga proof check incident.proof\tcheck one; needs no node",
     0, 2, 2, NULL, cmd_proof},

    {"user", RIGHTS, "add|set|remove NAME | list", "people who log in",
     "A new user's password is random and printed once, unless one is given.  Roles: a reader "
     "reads,\n"
     "an analyst also posts to its own organisation, a publisher to its groups; an admin alone\n"
     "sees settings and the audit and no object.",
     "jaga user add somchai --role analyst\ta new user\njaga user list\tall", 0, 1, 2, user_options,
     cmd_user},
    {"token", RIGHTS, "add NAME | remove NAME | list", "credentials for programs",
     "Prints the fields ready to paste for curl, Microsoft Sentinel, OpenCTI and Elastic, once.",
     "jaga token add siem --scope read --ends 90d\ta token for a SIEM", 0, 1, 2, token_options,
     cmd_token},
    {"group", RIGHTS, "add|set|remove NAME | list", "sharing groups (trust circles)",
     "A new member sees the past where the charter lets it; else a new generation begins.",
     "jaga group add banking --add bank-a --add bank-b\ta group\njaga group list\tall", 0, 1, 2,
     group_options, cmd_group},
    {"org", RIGHTS, "add|set|remove NAME | list", "organisations: constituents and partners", "",
     "jaga org add bank-a --title 'Bank A'\ta constituent of the own team\n"
     "jaga org add vendor --kind partner --ends 365d\ta partner, for a year",
     0, 1, 2, org_options, cmd_org},
    {"setting", RIGHTS, "list | NAME VALUE", "settings that decide who sees what",
     "public open|closed: whether anybody reads TLP:CLEAR of the public group without login.\n"
     "default-label LABEL: of what comes in without one (TLP:AMBER+STRICT).\n"
     "profile normal|strict: whether a broken must-rule is kept as a defect or refused.\n"
     "key.next rotate: a new key for the TAXII parameter next; the one before is still accepted.",
     "jaga setting public open\topen the public collection", 0, 1, 2, NULL, cmd_setting},
    {"binding", RIGHTS, "add|remove ID | list", "which organisation a STIX identity belongs to",
     "Only the organisation that an identity is bound to versions, revokes or widens what that\n"
     "identity created; what others say of it are proposals.",
     "jaga binding add identity--... --org bank-a\tbind it", 0, 1, 2, binding_options, cmd_binding},
    {"audit", RIGHTS, "", "administrative acts and refused accesses", "", "jaga audit\tthe latest",
     0, 0, 0, audit_options, cmd_audit},

    {"help", HELP, "[COMMAND]", "this list, or a command", "", "jaga help import\tone command", 0,
     0, 1, NULL, cmd_help},
    {"completion", HELP, "bash|zsh|fish", "completion for a shell", "",
     "jaga completion bash > /etc/bash_completion.d/jaga\tinstall it", CMD_HIDDEN, 1, 1, NULL,
     cmd_completion},
};
const size_t command_count = sizeof command_table / sizeof command_table[0];

const struct command *
command_find(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    return NULL;
}

/* Edits between two short words (insert, delete, replace). */
static size_t
distance(const char *a, const char *b)
{
    size_t row[33], n = strlen(b);

    if (strlen(a) > 32 || n > 32)
        return 99;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t corner = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t best = corner + (a[i] != b[j]);
            corner = row[j + 1];
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            if (row[j] + 1 < best)
                best = row[j] + 1;
            row[j + 1] = best;
        }
    }
    return row[n];
}

const char *
command_guess(const char *name)
{
    const char *best = NULL;
    size_t least = 3; /* more than two edits is no typing mistake */

    for (size_t i = 0; i < command_count; i++) {
        size_t d = distance(name, command_table[i].name);
        if (d < least && !(command_table[i].flags & CMD_HIDDEN)) {
            least = d;
            best = command_table[i].name;
        }
    }
    return best;
}
