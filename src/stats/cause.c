/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/cause: who or what drives the table, from the rankings (who, how much: exact) and a sample
 * (what they do).
 *
 * Asked is what has grown since the table was calm, where that is known and enough to speak of,
 * else the whole table. One source is named if it explains half of it; failing that one prefix,
 * failing that one destination, else nobody. Of growth not who has merely grown as the table did:
 * the users' own network, or its busiest user, always holds most of it.
 *
 * While something grows, asked is who grows now: what the guard takes from a flood would else make it small beside
 * who came in one go since the calm, and rests.
 *
 * Pickups (ESTABLISHED without an answer) never count against an address: a packet in mid-stream
 * made them, often from the server's side, so that the wrong end stands as the source.
 *
 * A flow is born unreplied, whatever becomes of it: of the sample of births only addresses,
 * services and pickups are believed. How many are unreplied is told by the last pass; how much
 * of a service that is, is then bounded from below (a + b - 1), so that what is said is true. */
#include "stats/cause.h"

#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "evidence.h"
#include "flow/names.h"

#define DOMINANT_SHARE	   0.5
#define UNUSUAL_SHARE	   0.1 /* of growth beyond one's share of the calm table */
#define GROWTH_LEAST	   50 /* less, or less than 5 % of the table: nothing to explain */
#define GROWTH_LEAST_SHARE 0.05
#define LATE_SHARE	   0.2 /* growth of late that is less than this of what has grown is not what drives it */
#define CANDIDATES	   16
#define SAID_SHARE	   0.5	/* a class or service is named from this share on */
#define MIXED_SHARE	   0.05 /* and as the largest part from this one on */
#define EVIDENCE_LEAST	   8	/* flows in the sample that make it believed against the pass */
#define SPREAD_SHARE	   0.1	/* no source above this: limits per source will not help */
#define SURE_OF_ONE	   30	/* that many sampled flows with one value: "1", not "at least 1" */
#define WIDE_SHARE	   0.8

struct inquiry {
	const struct picture *picture;
	const struct sample *sample;
	bool is_growth, is_births;
	bool is_late; /* growth of late, see ranking_late */
	bool is_usual; /* a source that has most of it had most of the calm table */
	double total;  /* entries to explain */
};

bool cause_is_growth(double growth, double entries)
{
	return growth >= GROWTH_LEAST && growth >= GROWTH_LEAST_SHARE * entries;
}

static struct inquiry inquiry_of(const struct picture *picture)
{
	double growth = (double)picture->entries - (double)picture->base_entries;
	double late = picture->has_base ? ranking_late(picture->parts[PICTURE_SOURCE]) : 0;
	struct inquiry inquiry = {
		.picture = picture, .sample = &picture->table, .total = (double)picture->entries};

	if (picture->has_base && cause_is_growth(growth + (double)picture->taken, inquiry.total) &&
	    cause_is_growth(late, inquiry.total) && late >= LATE_SHARE * growth) {
		inquiry.is_growth = inquiry.is_late = true;
		inquiry.total = late;
	} else if (picture->has_base && cause_is_growth(growth, inquiry.total)) {
		inquiry.is_growth = true;
		inquiry.total = growth;
	}
	if (picture->births.used && (inquiry.is_growth || !picture->table.used)) {
		inquiry.sample = &picture->births;
		inquiry.is_births = true;
	}
	return inquiry;
}

static const struct ranking_config *config_of(const struct inquiry *inquiry, enum picture_part part)
{
	return ranking_config_get(inquiry->picture->parts[part]);
}

static double share(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static uint64_t classes_sum(const struct ranking_row *row)
{
	uint64_t sum = 0;

	for (int class = 0; class < FLOW_CLASS_COUNT; class ++)
		sum += row->classes[class];
	return sum;
}

/* ---- who ---- */

struct suspect {
	enum picture_part part;
	struct ranking_row row;
	double weight; /* entries of it that count against it */
	struct evidence evidence;
};

static double pickup_share(const struct inquiry *inquiry, const struct ranking_row *row,
			   const struct evidence *evidence)
{
	if (inquiry->is_births && evidence->flows >= EVIDENCE_LEAST)
		return share((double)evidence->classes[FLOW_CLASS_PICKUP], (double)evidence->flows);
	return share(row->classes[FLOW_CLASS_PICKUP], (double)classes_sum(row));
}

static enum ranking_order order_of(const struct inquiry *inquiry)
{
	if (inquiry->is_late)
		return RANKING_ORDER_LATE;
	return inquiry->is_growth ? RANKING_ORDER_GROWTH : RANKING_ORDER_ENTRIES;
}

/* As order_of orders. */
static double weight_of(const struct inquiry *inquiry, const struct ranking_row *row)
{
	if (inquiry->is_late)
		return ranking_row_late(row);
	return (double)row->entries - (inquiry->is_growth ? row->base : 0);
}

/* Who held a share of the calm table is expected to bring as much of its growth: named is who brings
 * at least half of what others would then, or has more than doubled. */
static bool stands_out(const struct inquiry *inquiry, const struct ranking_row *row, double weight)
{
	double usual = share(row->base, (double)inquiry->picture->base_entries), beyond;

	if (!inquiry->is_growth || weight > row->base)
		return true;
	beyond = share(weight, inquiry->total) - usual;
	return beyond >= DOMINANT_SHARE * (1 - usual) && beyond >= UNUSUAL_SHARE;
}

static bool find_suspect(struct inquiry *inquiry, enum picture_part part,
			 struct suspect *ret_suspect)
{
	struct ranking_row rows[CANDIDATES];
	size_t n = ranking_top(inquiry->picture->parts[part], order_of(inquiry), CANDIDATES, rows);
	struct suspect suspect = {.part = part};

	for (size_t i = 0; i < n; i++) {
		double weight = weight_of(inquiry, &rows[i]);

		if (weight < DOMINANT_SHARE * inquiry->total)
			break; /* in order: nor do the others */
		evidence_gather(inquiry->sample, config_of(inquiry, part), &rows[i].key,
				config_of(inquiry, PICTURE_SOURCE), &suspect.evidence);
		weight *= 1 - pickup_share(inquiry, &rows[i], &suspect.evidence);
		if (weight < DOMINANT_SHARE * inquiry->total)
			continue;
		if (!stands_out(inquiry, &rows[i], weight)) {
			inquiry->is_usual |= part == PICTURE_SOURCE;
			continue;
		}
		suspect.row = rows[i];
		suspect.weight = weight;
		*ret_suspect = suspect;
		return true;
	}
	return false;
}

/* ---- words ---- */

/* Whole per cent; 100 only where it is all. */
static unsigned percent(double part)
{
	if (part >= 1)
		return 100;
	return part * 100 + 0.5 >= 100 ? 99 : (unsigned)(part * 100 + 0.5);
}

static void add_count(struct text *t, const struct evidence *evidence, size_t n, const char *what)
{
	bool is_sure = !evidence->is_part || (n == 1 && evidence->flows >= SURE_OF_ONE);
	char number[UNITS_TEXT_MAX];

	text_add(t, "%s%s %s%s", is_sure ? "" : "at least ", units_format_count(n, number), what,
		 units_plural(n));
}

/* The class that most of the flows are of: by the pass. FLOW_CLASS_COUNT: none stands out. */
static enum flow_class main_class(const struct ranking_row *row, double *ret_share)
{
	double sum = (double)classes_sum(row);

	for (int class = 0; class < FLOW_CLASS_COUNT; class ++) {
		if (share(row->classes[class], sum) >= SAID_SHARE) {
			*ret_share = share(row->classes[class], sum);
			return (enum flow_class) class;
		}
	}
	*ret_share = 0;
	return FLOW_CLASS_COUNT;
}

/* Classes whose name adds something; a two-way flow is what a flow should be. */
static bool is_telling(enum flow_class class)
{
	return class == FLOW_CLASS_UNREPLIED || class == FLOW_CLASS_HALF_OPEN ||
	       class == FLOW_CLASS_PICKUP || class == FLOW_CLASS_CLOSING ||
	       class == FLOW_CLASS_ESTABLISHED;
}

/* "98 % unreplied tcp/22", "95 % unreplied tcp", "95 % udp/53", "80 % unreplied": with ", "
 * before it. */
static void add_mix(struct text *t, const struct inquiry *inquiry, const struct suspect *suspect,
		    struct cause *cause)
{
	const struct evidence *evidence = &suspect->evidence;
	const struct ranking_config *config = config_of(inquiry, suspect->part);
	const struct ranking_config by_service = ranking_config_default(RANKING_BY_SERVICE);
	const struct ranking_key *service = &evidence->services.key;
	double class_share, kind, both = 0;
	enum flow_class class = main_class(&suspect->row, &class_share);
	char name[RANKING_TEXT_MAX];
	bool has_service = share((double)evidence->services.count, (double)evidence->flows) >=
			   SAID_SHARE;
	size_t flows = has_service ? evidence->services.count : evidence->protocol_flows;

	if (has_service)
		ranking_key_format(&by_service, service, name);
	else
		protocol_name(evidence->protocol, name);
	kind = share((double)flows, (double)evidence->flows);
	if (class != FLOW_CLASS_COUNT && inquiry->is_births)
		both = class_share + kind - 1;
	else if (class != FLOW_CLASS_COUNT)
		both = share((double)evidence_count(
				     evidence, config, &suspect->row.key,
				     has_service ? service : NULL,
				     has_service ? service->protocol : evidence->protocol, class),
			     (double)evidence->flows);
	cause->service = has_service ? *service : (struct ranking_key){.protocol = evidence->protocol};
	cause->has_protocol = kind >= SAID_SHARE;
	cause->has_service = has_service;
	if (class != FLOW_CLASS_COUNT && is_telling(class) &&
	    (both >= SAID_SHARE || !cause->has_protocol))
		cause->class = class;
	if (cause->class != FLOW_CLASS_COUNT && cause->has_protocol)
		text_add(t, ", %u %% %s %s", percent(both), class_name(class), name);
	else if (cause->has_protocol)
		text_add(t, ", %u %% %s", percent(kind), name);
	else if (cause->class != FLOW_CLASS_COUNT)
		text_add(t, ", %u %% %s", percent(class_share), class_name(class));
	if (!has_service && evidence->flows) {
		text_add(t, ", ");
		add_count(t, evidence, evidence->services.distinct, "port");
	}
}

static void add_advice(struct text *t, double largest, bool is_usual)
{
	if (largest < SPREAD_SHARE)
		text_add(t, "; limits per source will not help");
	else
		text_add(t, "; the largest source holds %u %%%s", percent(largest),
			 is_usual ? ", its usual share" : "");
}

static double largest_source(const struct evidence *evidence)
{
	return share((double)evidence->sources.count, (double)evidence->flows);
}

static void tell_dominant(const struct inquiry *inquiry, const struct suspect *suspect,
			  struct cause *cause)
{
	static const char *const words[PICTURE_PART_COUNT] = {
		[PICTURE_SOURCE] = "source",
		[PICTURE_PREFIX] = "prefix",
		[PICTURE_DESTINATION] = "destination",
		[PICTURE_SERVICE] = "service",
	};
	const struct evidence *evidence = &suspect->evidence;
	double part = share(suspect->weight, inquiry->total);
	char name[RANKING_TEXT_MAX];
	struct text t;

	cause->has_dominant = true;
	cause->part = suspect->part;
	cause->key = suspect->row.key;
	cause->share_pct = part < 1 ? 100 * part : 100;
	cause->destinations = evidence->destinations.distinct;
	cause->ports = evidence->services.distinct;
	cause->at_least = evidence->is_part;
	text_init(&t, cause->text, sizeof(cause->text));
	text_add(&t, "one %s: %s holds %u %%%s", words[suspect->part],
		 ranking_key_format(config_of(inquiry, suspect->part), &suspect->row.key, name),
		 percent(part), inquiry->is_growth ? " of growth" : "");
	add_mix(&t, inquiry, suspect, cause);
	if (!evidence->flows)
		return;
	if (suspect->part != PICTURE_SOURCE) {
		text_add(&t, ", ");
		add_count(&t, evidence, evidence->sources.distinct, "source");
	}
	if (suspect->part != PICTURE_DESTINATION) {
		text_add(&t, ", ");
		add_count(&t, evidence, evidence->destinations.distinct, "destination");
	} else {
		add_advice(&t, largest_source(evidence), inquiry->is_usual);
	}
}

/* Unreplied or half-open, where the sample of the pass says so of this service; else
 * FLOW_CLASS_COUNT. */
static enum flow_class bad_class(const struct inquiry *inquiry, const struct ranking_key *service)
{
	const struct ranking_config by_service = ranking_config_default(RANKING_BY_SERVICE);
	struct evidence of_service;

	evidence_gather(&inquiry->picture->table, &by_service, service,
			config_of(inquiry, PICTURE_SOURCE), &of_service);
	for (enum flow_class class = FLOW_CLASS_UNREPLIED; class <= FLOW_CLASS_HALF_OPEN; class ++)
		if (share((double)of_service.classes[class], (double)of_service.flows) >=
		    WIDE_SHARE)
			return class;
	return FLOW_CLASS_COUNT;
}

/* "96 % of growth is unreplied tcp/80 from 10.7.0.0/16". */
static void add_service(struct text *t, const struct inquiry *inquiry, const struct evidence *all,
			const char *of, struct cause *cause)
{
	const struct ranking_config by_service = ranking_config_default(RANKING_BY_SERVICE);
	const struct ranking_config by_prefix = evidence_wide_prefix();
	enum flow_class class = bad_class(inquiry, &all->services.key);
	double part = share((double)all->services.count, (double)all->flows);
	char name[RANKING_TEXT_MAX];

	ranking_key_format(&by_service, &all->services.key, name);
	if (part < MIXED_SHARE) {
		text_add(t, "%s is mixed", of);
		return;
	}
	if (part < SAID_SHARE) {
		text_add(t, "%s is mixed, %s the largest part (%u %%)", of, name, percent(part));
		return;
	}
	cause->service = all->services.key;
	cause->has_protocol = cause->has_service = true;
	cause->class = class;
	text_add(t, "%u %% of %s is %s%s%s", percent(part), of,
		 class == FLOW_CLASS_COUNT ? "" : class_name(class),
		 class == FLOW_CLASS_COUNT ? "" : " ", name);
	if (share((double)all->prefixes.count, (double)all->flows) >= WIDE_SHARE)
		text_add(t, " from %s", ranking_key_format(&by_prefix, &all->prefixes.key, name));
}

static void tell_nobody(const struct inquiry *inquiry, struct cause *cause)
{
	const char *of = inquiry->is_growth ? "growth" : "the table";
	struct evidence all;
	double pickups;
	struct text t;

	evidence_gather(inquiry->sample, NULL, NULL, config_of(inquiry, PICTURE_SOURCE), &all);
	pickups = share((double)all.classes[FLOW_CLASS_PICKUP], (double)all.flows);
	text_init(&t, cause->text, sizeof(cause->text));
	text_add(&t, "no dominant source");
	if (!all.flows)
		return;
	text_add(&t, ": ");
	if (pickups >= SAID_SHARE) {
		cause->class = FLOW_CLASS_PICKUP;
		text_add(&t,
			 "%u %% of %s is pickups (mid-stream packets; their sources are not to "
			 "blame)",
			 percent(pickups), of);
		return;
	}
	add_service(&t, inquiry, &all, of, cause);
	text_add(&t, " (");
	add_count(&t, &all, all.sources.distinct, "source");
	text_add(&t, ")");
	add_advice(&t, largest_source(&all), inquiry->is_usual);
	cause->at_least = all.is_part;
}

struct cause cause_find(const struct picture *picture)
{
	static const enum picture_part order[] = {PICTURE_SOURCE, PICTURE_PREFIX,
						  PICTURE_DESTINATION};
	struct cause cause = {.class = FLOW_CLASS_COUNT};
	struct suspect suspect;
	struct inquiry inquiry;

	if (!picture || !picture->entries)
		return cause;
	inquiry = inquiry_of(picture);
	cause.is_known = true;
	cause.is_growth = inquiry.is_growth;
	cause.is_late = inquiry.is_late;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (find_suspect(&inquiry, order[i], &suspect)) {
			tell_dominant(&inquiry, &suspect, &cause);
			return cause;
		}
	}
	tell_nobody(&inquiry, &cause);
	return cause;
}
