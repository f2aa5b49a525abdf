/* SPDX-License-Identifier: MIT */
/* command_table.c - every command there is. Sorted by name: the look-up is a binary search. */
#include "core/command.h"

#include <stdlib.h>
#include <string.h>

static const struct command_spec table[] = {
    {"addMembers", start_add_members, answer_add_members, COMMAND_CHANGES},
    {"block", start_block, answer_nothing, COMMAND_REMOVES},
    {"createChannel", start_create_channel, answer_conversation, COMMAND_CHANGES},
    {"createDirect", start_create_direct, answer_conversation, COMMAND_CHANGES},
    {"createGroup", start_create_group, answer_conversation, COMMAND_CHANGES},
    {"createInvite", start_create_invite, answer_create_invite, COMMAND_READS},
    {"createUser", start_create_user, answer_create_user, COMMAND_READS},
    {"deleteConversation", start_delete_conversation, answer_conversation, COMMAND_REMOVES},
    {"disableUser", start_disable_user, answer_disable_user, COMMAND_ENDS},
    {"enableUser", start_enable_user, answer_enable_user, COMMAND_READS},
    {"eraseUser", start_erase_user, answer_erase_user, COMMAND_ENDS},
    {"exportUser", start_export_user, answer_export_user, COMMAND_READS},
    {"getConversation", start_get_conversation, answer_get_conversation, COMMAND_READS},
    {"getProfile", start_get_profile, answer_profile, COMMAND_READS},
    {"getStats", start_get_stats, answer_get_stats, COMMAND_READS},
    {"join", start_join, answer_join, COMMAND_CHANGES},
    {"kickUser", start_kick_user, answer_nothing, COMMAND_ENDS},
    {"leave", start_leave, answer_conversation, COMMAND_REMOVES},
    {"listBlocks", start_list_blocks, answer_list_blocks, COMMAND_READS},
    {"listConversations", start_list_conversations, answer_list_conversations, COMMAND_READS},
    {"listDevices", start_list_devices, answer_list_devices, COMMAND_READS},
    {"listInvites", start_list_invites, answer_list_invites, COMMAND_READS},
    {"listMembers", start_list_members, answer_list_members, COMMAND_READS},
    {"listPush", start_list_push, answer_list_push, COMMAND_READS},
    {"listSessions", start_list_sessions, answer_list_sessions, COMMAND_READS},
    {"modifyConversation", start_modify_conversation, answer_conversation, COMMAND_CHANGES},
    {"modifyProfile", start_modify_profile, answer_profile, COMMAND_PROFILE},
    {"mute", start_mute, answer_mute, COMMAND_READS},
    {"registerPush", start_register_push, answer_register_push, COMMAND_READS},
    {"removeMember", start_remove_member, answer_conversation, COMMAND_REMOVES},
    {"revokeDevice", start_revoke_device, answer_revoke_device, COMMAND_REVOKES},
    {"revokeInvite", start_revoke_invite, answer_revoke_invite, COMMAND_READS},
    {"searchMessages", start_search_messages, answer_search_messages, COMMAND_READS},
    {"searchUsers", start_search_users, answer_search_users, COMMAND_READS},
    {"setRole", start_set_role, answer_conversation, COMMAND_CHANGES},
    {"unblock", start_unblock, answer_nothing, COMMAND_CHANGES},
    {"unregisterPush", start_unregister_push, answer_unregister_push, COMMAND_READS},
};

/* Who rules whom, and all that administrators do. The logins that revokeDevice ends are noted one
 * by one. */
static const char *const audited[] = {
    "createUser", "deleteConversation", "disableUser",  "enableUser",   "eraseUser", "exportUser",
    "getStats",   "kickUser",           "listSessions", "removeMember", "setRole",
};

bool command_is_audited(const struct command_spec *spec)
{
    for (size_t i = 0; i < sizeof audited / sizeof *audited; i++) {
        if (strcmp(spec->name, audited[i]) == 0)
            return true;
    }
    return false;
}

static int compare(const void *name, const void *spec)
{
    return strcmp(name, ((const struct command_spec *)spec)->name);
}

const struct command_spec *command_find(const char *name)
{
    return bsearch(name, table, sizeof table / sizeof *table, sizeof *table, compare);
}
