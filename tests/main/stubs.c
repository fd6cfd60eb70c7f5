/* The table names every command's function; a test of the table runs none of them. */
#include "cmd.h"

#define STUB(name)                                                                                 \
    int name(struct session *s)                                                                    \
    {                                                                                              \
        (void)s;                                                                                   \
        return EXIT_OK;                                                                            \
    }

STUB(cmd_init)
STUB(cmd_serve)
STUB(cmd_status)
STUB(cmd_doctor)
STUB(cmd_config)
STUB(cmd_verify)
STUB(cmd_backup)
STUB(cmd_restore)
STUB(cmd_import)
STUB(cmd_report)
STUB(cmd_undo)
STUB(cmd_release)
STUB(cmd_get)
STUB(cmd_show)
STUB(cmd_log)
STUB(cmd_search)
STUB(cmd_related)
STUB(cmd_export)
STUB(cmd_publish)
STUB(cmd_revoke)
STUB(cmd_withdraw)
STUB(cmd_who)
STUB(cmd_why)
STUB(cmd_proof)
STUB(cmd_user)
STUB(cmd_token)
STUB(cmd_group)
STUB(cmd_org)
STUB(cmd_setting)
STUB(cmd_binding)
STUB(cmd_audit)
STUB(cmd_pending)
STUB(cmd_help)
STUB(cmd_completion)
