/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/victims_stage: what a flow is to the choice: spared, or of which stage and group; and the
 * words for it. Knows nothing of the pass. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "base/units.h"
#include "flow/names.h"
#include "victims_private.h"

#define HANDSHAKE_PACKETS 2 /* either way, of TCP; a question and its answer of others */
#define SCTP_ESTABLISHED 4	/* the kernel's SCTP_CONNTRACK_ESTABLISHED */
#define IDLE_IN_MINUTES	 0x8000 /* idle_code: minutes, not seconds */
#define LONG_DEAD	 3	/* doublings of the idle time beyond the floor */

/* Worst first; 0: never a candidate. */
static const uint8_t class_rank[FLOW_CLASS_COUNT] = {
	[FLOW_CLASS_UNREPLIED] = 7,   [FLOW_CLASS_PICKUP] = 6,	[FLOW_CLASS_HALF_OPEN] = 5,
	[FLOW_CLASS_CLOSING] = 4,     [FLOW_CLASS_REPLIED] = 3, [FLOW_CLASS_STREAM] = 2,
	[FLOW_CLASS_ESTABLISHED] = 1,
};

static const char *const stage_names[VICTIM_STAGE_COUNT] = {
	[VICTIM_UNANSWERED_FIT] = "unanswered, fits the surge",
	[VICTIM_UNANSWERED] = "unanswered",
	[VICTIM_FIT] = "fits the surge",
	[VICTIM_SHORT] = "short-lived",
	[VICTIM_IDLE] = "idle beyond the floor",
	[VICTIM_YOUNGER] = "idle below the floor",
	[VICTIM_SPARED_YOUNG] = "young",
	[VICTIM_BASE] = "there before the surge",
	[VICTIM_ACTIVE] = "active",
	[VICTIM_SENIOR] = "senior",
};

static const char *const spared_names[VICTIM_SPARED_COUNT] = {
	[VICTIM_SPARED_OFFLOADED] = "offloaded",
	[VICTIM_SPARED_LOOPBACK] = "loopback",
	[VICTIM_SPARED_SCTP] = "established SCTP",
	[VICTIM_SPARED_UNKNOWN] = "unknown",
	[VICTIM_SPARED_SENIOR] = "senior",
	[VICTIM_SPARED_ACTIVE] = "active",
	[VICTIM_SPARED_YOUNG_FLOW] = "young",
	[VICTIM_SPARED_FLOOR] = "idle below the floor",
	[VICTIM_SPARED_DEEPER] = "not asked for",
	[VICTIM_SPARED_PROTECTED] = "protected",
	[VICTIM_SPARED_CHILD] = "master of a living flow",
};

const char *victim_stage_name(enum victim_stage stage)
{
	return stage_names[stage];
}

const char *victim_spared_name(enum victim_spared spared)
{
	return spared_names[spared];
}

static bool is_established_sctp(const struct flow *flow)
{
	return flow->tuple[FLOW_ORIG].protocol == IPPROTO_SCTP &&
	       (flow->status & FLOW_STATUS_SEEN_REPLY) &&
	       (!(flow->has & FLOW_HAS_STATE) || flow->state == SCTP_ESTABLISHED);
}

enum victim_spared victims_spared_by_kind(const struct victims_config *config,
					  const struct flow *flow, enum flow_class class)
{
	if (class == FLOW_CLASS_OFFLOADED)
		return VICTIM_SPARED_OFFLOADED;
	if (!config->takes_loopback && flow_tuple_is_loopback(&flow->tuple[FLOW_ORIG]))
		return VICTIM_SPARED_LOOPBACK;
	if (!config->takes_sctp && is_established_sctp(flow))
		return VICTIM_SPARED_SCTP;
	if (!class_rank[class])
		return VICTIM_SPARED_UNKNOWN;
	return VICTIM_SPARED_COUNT;
}

/* Idle is a lower bound of age. What nothing is known of may be young. */
bool victims_is_young(const struct victims_config *config, const struct flow_facts *facts,
		      const struct standing *standing)
{
	if (facts->has_age)
		return facts->age_sec < config->young_sec;
	if (facts->has_idle && facts->idle_sec >= config->young_sec)
		return false;
	return !standing->is_base;
}

bool victims_may_have_use(const struct flow *flow, const struct standing *standing)
{
	return !standing->is_tried && flow->has & FLOW_HAS_COUNTERS &&
	       (flow->packets[FLOW_ORIG] > HANDSHAKE_PACKETS || flow->packets[FLOW_REPLY] > HANDSHAKE_PACKETS);
}

static uint32_t floor_of(const struct victims_config *config, enum flow_class class)
{
	return class == FLOW_CLASS_ESTABLISHED ? config->established_floor_sec
					       : config->stream_floor_sec;
}

enum victim_stage victims_stage_of(const struct victims_config *config,
				   const struct flow_facts *facts, const struct standing *standing,
				   bool fits, bool fits_weakly)
{
	/* At full even young ones are asked for. Then age chooses no more (a flood is the youngest), and what grows as
	 * the surge does goes before what has been silent for long. */
	bool is_full = config->deepest >= VICTIM_SPARED_YOUNG;
	bool young = victims_is_young(config, facts, standing);

	if (victims_is_unanswered(facts->class)) {
		if (fits)
			return VICTIM_UNANSWERED_FIT;
		return young ? VICTIM_SPARED_YOUNG : VICTIM_UNANSWERED;
	}
	if (standing->is_senior)
		return VICTIM_SENIOR;
	if (standing->is_active && facts->is_answered)
		return VICTIM_ACTIVE;
	if (fits || (fits_weakly && is_full))
		return VICTIM_FIT;
	if (young)
		return VICTIM_SPARED_YOUNG;
	if (facts->class != FLOW_CLASS_STREAM && facts->class != FLOW_CLASS_ESTABLISHED)
		return VICTIM_SHORT;
	if (facts->has_idle && facts->idle_sec > floor_of(config, facts->class) &&
	    !(is_full && config->is_blind))
		return VICTIM_IDLE;
	if (standing->is_base)
		return VICTIM_BASE;
	return is_full ? VICTIM_SPARED_YOUNG : VICTIM_YOUNGER;
}

enum victim_spared victims_spared_by_depth(enum victim_stage stage)
{
	switch (stage) {
	case VICTIM_SENIOR:
		return VICTIM_SPARED_SENIOR;
	case VICTIM_ACTIVE:
		return VICTIM_SPARED_ACTIVE;
	case VICTIM_SPARED_YOUNG:
		return VICTIM_SPARED_YOUNG_FLOW;
	case VICTIM_YOUNGER:
	case VICTIM_BASE:
		return VICTIM_SPARED_FLOOR;
	case VICTIM_UNANSWERED_FIT:
	case VICTIM_UNANSWERED:
	case VICTIM_FIT:
	case VICTIM_SHORT:
	case VICTIM_IDLE:
	case VICTIM_STAGE_COUNT:
		break;
	}
	return VICTIM_SPARED_DEEPER;
}

static unsigned doublings(uint32_t idle_sec, uint32_t floor_sec)
{
	unsigned n = 0;

	for (uint64_t mark = floor_sec ? floor_sec : 1; idle_sec / 2 >= mark && n < ORDER_STEPS - 1;
	     mark *= 2)
		n++;
	return n;
}

/* Seconds, up to what is no longer young: an answer to an honest flow may still be on its way, the
 * less likely the older the flow is. */
static unsigned grown_up(const struct victims_config *config, const struct flow_facts *facts)
{
	uint32_t sec = facts->has_age ? facts->age_sec : facts->has_idle ? facts->idle_sec : 0;

	if (sec > config->young_sec)
		sec = config->young_sec;
	return sec < ORDER_STEPS ? sec : ORDER_STEPS - 1;
}

uint64_t victims_group_order(const struct victims_config *config, const struct flow_facts *facts,
			     enum victim_stage stage, bool fits_weakly, bool is_tried)
{
	unsigned step = 0;

	if (stage == VICTIM_IDLE)
		step = doublings(facts->idle_sec, floor_of(config, facts->class));
	else if (stage == VICTIM_UNANSWERED_FIT)
		step = grown_up(config, facts);
	else if (stage == VICTIM_FIT)
		step = is_tried;
	return (uint64_t)(VICTIM_STAGE_COUNT - stage) << ORDER_STAGE_SHIFT |
	       (uint64_t)class_rank[facts->class] << ORDER_CLASS_SHIFT |
	       (uint64_t)fits_weakly << ORDER_FITS_SHIFT | (uint64_t)step << ORDER_STEP_SHIFT;
}

uint16_t victims_encode_idle(uint32_t idle_sec)
{
	uint32_t minutes = idle_sec / 60;

	if (idle_sec < IDLE_IN_MINUTES)
		return (uint16_t)idle_sec;
	return (uint16_t)(IDLE_IN_MINUTES |
			  (minutes < IDLE_IN_MINUTES ? minutes : IDLE_IN_MINUTES - 1));
}

uint32_t victim_idle_sec(const struct victim *victim)
{
	if (victim->idle_code & IDLE_IN_MINUTES)
		return (victim->idle_code & (IDLE_IN_MINUTES - 1u)) * 60;
	return victim->idle_code;
}

/* An answered flow that was there before the surge is no part of it. Of a crowd of users only what is not in use fits.
 * Where a signature hits the base (attack and honest flows agree in every attribute, or the first of the surge got into
 * the base) use alone tells them apart. */
struct victims_fit victims_fit_of(const struct victims_config *config, const struct signature *signature,
				  const struct flow_facts *facts, const struct standing *standing)
{
	/* Of a crowd of users, or what may be one, a connection that is just being opened: only as far as room is
	 * needed. */
	bool is_setup = signature && signature_may_be_crowd(signature) && victims_is_young(config, facts, standing);
	bool is_idle = signature && signature_is_idle(signature);
	struct victims_fit fit = {0};

	if (!signature)
		return fit;
	if (victims_is_unanswered(facts->class)) {
		fit.raises = !signature->hits_base;
		fit.is_proven = fit.raises && !is_setup;
	} else if (!facts->is_answered) { /* half-open, closing: nothing that could be in use */
		fit.raises = !signature->hits_base && !signature->is_blind && !standing->is_base;
		fit.is_proven = fit.raises && !is_setup;
	} else if (signature->is_blind || standing->is_base) {
		;
	} else if (signature->hits_base) {
		/* Told apart by use: what was known for long enough and showed none. */
		fit.raises = is_idle;
		fit.is_proven = is_idle && standing->is_tried;
	} else {
		fit.raises = !signature->is_lively || standing->is_tried;
		fit.is_proven = is_idle;
	}
	fit.is_weak = signature->hits_base && !signature->is_lively && !standing->is_base;
	return fit;
}

bool victims_is_long_dead(enum victim_stage stage, uint64_t order)
{
	return stage == VICTIM_IDLE && (order >> ORDER_STEP_SHIFT & (ORDER_STEPS - 1)) >= LONG_DEAD;
}

enum victim_spared victims_without_fit(const struct victims_config *config, struct victim *victim)
{
	enum victim_stage alone = (enum victim_stage)victim->alone;
	enum flow_class class = (enum flow_class)victim->class;
	const struct flow_facts facts = {.class = class, .has_idle = true, .idle_sec = victim_idle_sec(victim)};
	bool is_raised = victim->stage != victim->alone;

	if (alone == VICTIM_STAGE_COUNT)
		return flow_class_is_two_way(class) ? VICTIM_SPARED_FLOOR : VICTIM_SPARED_YOUNG_FLOW;
	if (alone > config->deepest)
		return victims_spared_by_depth(alone);
	victim->order = victims_group_order(config, &facts, alone, false, false) | (victim->order & ORDER_REST);
	if (is_raised || !victims_is_long_dead(alone, victim->order))
		victim->has &= (uint8_t)~VICTIM_HAS_PROOF;
	victim->stage = victim->alone;
	victim->signature = 0;
	return VICTIM_SPARED_COUNT;
}

char *victim_reason(const struct victim *victim, char buf[VICTIM_TEXT_MAX])
{
	char idle[UNITS_TEXT_MAX];
	struct text t;

	text_init(&t, buf, VICTIM_TEXT_MAX);
	text_add(&t, "%s", class_name((enum flow_class)victim->class));
	if (victim->has & VICTIM_HAS_IDLE)
		text_add(&t, ", idle for %s",
			 units_format_duration((int64_t)victim_idle_sec(victim) * 1000000000LL,
					       idle));
	if (victim->stage != VICTIM_UNANSWERED)
		text_add(&t, ", %s",
			 victim->stage == VICTIM_UNANSWERED_FIT ? "fits the surge"
								: stage_names[victim->stage]);
	return buf;
}
