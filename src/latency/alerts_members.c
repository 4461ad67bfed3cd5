/* The cameras and groups that are watched: who is there follows from what each tick names. */
#include "latency/alerts_impl.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static void unref_group(struct itsi_alerts *alerts, struct itsi_alert_group *group)
{
    if (!group || --group->cameras > 0)
        return;
    size_t i = 0;
    while (alerts->groups[i] != group)
        i++;
    alerts->group_count--;
    memmove(&alerts->groups[i], &alerts->groups[i + 1], (alerts->group_count - i) * sizeof(struct itsi_alert_group *));
    itsi_free(group);
}

/* The group of that name with one camera more; NULL: out of memory. */
static struct itsi_alert_group *ref_group(struct itsi_alerts *alerts, const char *name)
{
    for (size_t i = 0; i < alerts->group_count; i++)
        if (strncmp(alerts->groups[i]->name, name, ITSI_ALERT_SUBJECT_SIZE - 1) == 0) {
            alerts->groups[i]->cameras++;
            return alerts->groups[i];
        }
    struct itsi_alert_group *group = itsi_zalloc(sizeof *group);
    if (!group || !itsi_alerts_grow((void **)&alerts->groups, &alerts->group_cap, alerts->group_count + 1,
                                    sizeof(struct itsi_alert_group *))) {
        itsi_free(group);
        return NULL;
    }
    snprintf(group->name, sizeof group->name, "%s", name);
    group->cameras = 1;
    itsi_slo_series_init(&group->series, alerts->params.slo.window_ns, alerts->now);
    alerts->groups[alerts->group_count++] = group;
    return group;
}

/* Puts the member into the group its camera names now; another address may put it into another. */
static int settle(struct itsi_alerts *alerts, struct itsi_alert_member *member, const char *group)
{
    const char *had = member->group ? member->group->name : "";
    if (!group)
        group = "";
    if (strncmp(had, group, ITSI_ALERT_SUBJECT_SIZE - 1) == 0)
        return 0;
    struct itsi_alert_group *next = NULL;
    if (group[0] && !(next = ref_group(alerts, group)))
        return ITS_ENOMEM;
    if (member->group && member->group->cameras == 1) /* it would vanish here: its alert ends first */
        itsi_alerts_tell(alerts, &member->group->cell, ITSI_ALERT_GROUP, ITSI_ALERT_BURN, had, "", false, true);
    unref_group(alerts, member->group);
    member->group = next;
    return 0;
}

static struct itsi_alert_member *add(struct itsi_alerts *alerts, const char *id)
{
    struct itsi_alert_member *member = itsi_zalloc(sizeof *member);
    if (!member || !itsi_alerts_grow((void **)&alerts->members, &alerts->member_cap, alerts->member_count + 1,
                                     sizeof(struct itsi_alert_member *))) {
        itsi_free(member);
        return NULL;
    }
    snprintf(member->id, sizeof member->id, "%s", id);
    itsi_slo_series_init(&member->series, alerts->params.slo.window_ns, alerts->now);
    alerts->members[alerts->member_count++] = member;
    return member;
}

/* The member of that id, looked for from `*at` on: ticks name cameras in a steady order, so it is the next one. */
static struct itsi_alert_member *find_from(struct itsi_alerts *alerts, const char *id, size_t *at)
{
    for (size_t n = 0; n < alerts->member_count; n++) {
        const size_t i = (*at + n) % alerts->member_count;
        if (strcmp(alerts->members[i]->id, id) == 0) {
            *at = i + 1;
            return alerts->members[i];
        }
    }
    return NULL;
}

struct itsi_alert_member *itsi_alerts_find(struct itsi_alerts *alerts, const char *id)
{
    size_t at = 0;
    return find_from(alerts, id, &at);
}

static int count_camera(struct itsi_alerts *alerts, const struct itsi_alert_camera *camera, size_t *at)
{
    struct itsi_alert_member *member = find_from(alerts, camera->id, at);
    if (!member && !(member = add(alerts, camera->id)))
        return ITS_ENOMEM;
    member->seen = true;
    const int rc = settle(alerts, member, camera->group);
    const struct itsi_slo_counts more = itsi_slo_meter_take(&member->meter, camera->ledger);
    itsi_slo_series_add(&member->series, more, alerts->now);
    if (member->group)
        itsi_slo_series_add(&member->group->series, more, alerts->now);
    return rc;
}

int itsi_alerts_count(struct itsi_alerts *alerts, const struct itsi_alert_tick *tick)
{
    int rc = 0;
    size_t at = 0;
    itsi_slo_series_add(&alerts->series, itsi_slo_meter_take(&alerts->meter, tick->total), alerts->now);
    for (size_t i = 0; i < tick->camera_count; i++) {
        const int one = count_camera(alerts, &tick->cameras[i], &at);
        rc = rc ? rc : one;
    }
    return rc;
}

void itsi_alerts_sweep(struct itsi_alerts *alerts)
{
    size_t kept = 0;
    for (size_t i = 0; i < alerts->member_count; i++) {
        struct itsi_alert_member *member = alerts->members[i];
        if (member->seen) {
            member->seen = false;
            alerts->members[kept++] = member;
            continue;
        }
        itsi_alerts_tell(alerts, &member->cell, ITSI_ALERT_CAMERA, ITSI_ALERT_BURN, member->id, "", false, true);
        if (member->group && member->group->cameras == 1)
            itsi_alerts_tell(alerts, &member->group->cell, ITSI_ALERT_GROUP, ITSI_ALERT_BURN, member->group->name, "",
                             false, true);
        unref_group(alerts, member->group);
        itsi_free(member);
    }
    alerts->member_count = kept;
}

void itsi_alerts_free_members(struct itsi_alerts *alerts)
{
    for (size_t i = 0; i < alerts->member_count; i++)
        itsi_free(alerts->members[i]);
    for (size_t i = 0; i < alerts->group_count; i++)
        itsi_free(alerts->groups[i]);
    itsi_free(alerts->members);
    itsi_free(alerts->groups);
}
