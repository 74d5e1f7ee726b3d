/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stats/signature_find: the key that covers most of the growth and least of what was there before.
 *
 * A condition is one value of one part of a flow: source or destination (exact or one of a few
 * prefix lengths), service or protocol, class, zone. Those that hold for enough of the growth are
 * few; for each a bitmap says which flows of both samples it holds for. All conjunctions of at most
 * one condition a part are tried; a branch ends where too little growth is left, so that some
 * thousand ANDs of 64 words are made, not millions.
 *
 * Judged is sqrt(coverage) * (1 - hits - width)^3: hits is the share of the base that fits, width
 * what one would expect a key of this kind to hold of any table. Short-lived flows are hardly seen
 * in a sample of the calm, so that "unreplied" alone hits nothing there and yet would take every
 * honest connection that is just being opened. The root favours a narrow key for each of several
 * surges over a broad one for all. Of keys that are as good to a few per cent the narrowest is
 * taken: it leaves out most of the honest flows that are part of the growth.
 *
 * First those are judged that stay within the bound for the base. If there is none, the best of the
 * others says at least what it is that cannot be told apart.
 */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/siphash.h"
#include "signature_private.h"

#define WORDS	    (SAMPLE_MAX / 64)
#define ATOMS_MAX   64 /* of one part */
#define TALLY_SLOTS (2 * SAMPLE_MAX)
#define AS_GOOD	    0.97
#define BASE_LEAST  32 /* sampled flows of the base that make their share believed as it is */

enum part { PART_SRC, PART_DST, PART_SERVICE, PART_CLASS, PART_ZONE, PART_COUNT };

struct atom {
	struct signature_pattern pattern;
	double width; /* what share of any table one would expect to fit */
	uint64_t growth[WORDS], base[WORDS];
};

struct tally {
	uint64_t hash;
	uint32_t count;
	uint32_t first; /* a flow that has the value */
};

struct signature_finder {
	struct signature_config config;
	struct siphash_key key;
	struct look growth[SAMPLE_MAX], base[SAMPLE_MAX];
	size_t growth_used, base_used;
	struct atom atoms[PART_COUNT][ATOMS_MAX];
	size_t atom_count[PART_COUNT];
	struct tally tallies[TALLY_SLOTS];
	uint64_t open[WORDS]; /* growth that no signature explains yet */
};

/* The conditions that are looked for. For addresses len by family. */
static const struct grain {
	enum part part;
	uint8_t family, len;
	double width;
} grains[] = {
	{PART_SRC, AF_INET, 32, 0.01},	 {PART_SRC, AF_INET, 28, 0.015},
	{PART_SRC, AF_INET, 24, 0.02},	 {PART_SRC, AF_INET, 20, 0.03},
	{PART_SRC, AF_INET, 16, 0.05},	 {PART_SRC, AF_INET, 12, 0.1},
	{PART_SRC, AF_INET, 8, 0.15},	 {PART_SRC, AF_INET6, 64, 0.01},
	{PART_SRC, AF_INET6, 56, 0.015}, {PART_SRC, AF_INET6, 48, 0.02},
	{PART_SRC, AF_INET6, 32, 0.05},	 {PART_DST, AF_INET, 32, 0.01},
	{PART_DST, AF_INET, 28, 0.015},	 {PART_DST, AF_INET, 24, 0.02},
	{PART_DST, AF_INET, 20, 0.03},	 {PART_DST, AF_INET, 16, 0.05},
	{PART_DST, AF_INET6, 128, 0.01}, {PART_DST, AF_INET6, 64, 0.02},
	{PART_DST, AF_INET6, 48, 0.05},	 {PART_SERVICE, 0, 1, 0.15},
	{PART_SERVICE, 0, 0, 0.6},	 {PART_CLASS, 0, 0, 0.4},
	{PART_ZONE, 0, 0, 0.5},
};

struct signature_finder *signature_finder_new(const struct signature_config *config)
{
	struct signature_finder *finder = mem_alloc(sizeof(*finder));

	finder->config = *config;
	finder->key = siphash_key_random();
	return finder;
}

void signature_finder_free(struct signature_finder *finder)
{
	free(finder);
}

static size_t looks_from(const struct sample *sample, struct look *looks)
{
	for (size_t i = 0; i < sample->used; i++)
		looks[i] = look_at_brief(&sample->flows[i]);
	return sample->used;
}

/* ---- conditions ---- */

static void mask_of(uint8_t len, uint64_t ret_mask[2])
{
	uint8_t bytes[16] = {0};

	memset(bytes, 0xff, len / 8);
	if (len % 8)
		bytes[len / 8] = (uint8_t)(0xff << (8 - len % 8));
	memcpy(ret_mask, bytes, sizeof(bytes));
}

/* The condition of this grain that the flow meets; false: none (the other family). */
static bool pattern_of(const struct grain *grain, const struct look *look,
		       struct signature_pattern *ret_pattern)
{
	struct signature_pattern p = {.classes = CLASSES_ALL};

	switch (grain->part) {
	case PART_SRC:
	case PART_DST:
		if (look->family != grain->family)
			return false;
		p.family = grain->family;
		if (grain->part == PART_SRC) {
			p.src_len = grain->len;
			p.classes = CLASSES_NO_PICKUP;
			mask_of(grain->len, p.src_mask);
			p.src[0] = look->src[0] & p.src_mask[0];
			p.src[1] = look->src[1] & p.src_mask[1];
			break;
		}
		p.dst_len = grain->len;
		mask_of(grain->len, p.dst_mask);
		p.dst[0] = look->dst[0] & p.dst_mask[0];
		p.dst[1] = look->dst[1] & p.dst_mask[1];
		break;
	case PART_SERVICE:
		p.has_protocol = true;
		p.protocol = look->protocol;
		p.has_port = grain->len && signature_has_ports(look->protocol);
		p.port = p.has_port ? look->port : 0;
		if (grain->len && !p.has_port)
			return false;
		break;
	case PART_CLASS:
		p.classes = look->class_bit;
		break;
	case PART_ZONE:
		p.has_zone = true;
		p.zone = look->zone;
		break;
	case PART_COUNT:
		return false;
	}
	*ret_pattern = p;
	return look_fits(&p, look);
}

static uint64_t hash_pattern(const struct signature_finder *f, const struct signature_pattern *p)
{
	uint64_t words[6] = {p->src[0],
			     p->src[1],
			     p->dst[0],
			     p->dst[1],
			     (uint64_t)p->family << 48 | (uint64_t)p->has_port << 40 |
				     (uint64_t)p->protocol << 32 | (uint64_t)p->port << 16 |
				     p->zone,
			     p->classes};
	uint64_t hash = siphash(words, sizeof(words), f->key);

	return hash ? hash : 1;
}

static size_t set_bits(const struct signature_pattern *p, const struct look *looks, size_t n,
		       uint64_t bits[WORDS])
{
	size_t count = 0;

	memset(bits, 0, WORDS * sizeof(*bits));
	for (size_t i = 0; i < n; i++) {
		bool fits = look_fits(p, &looks[i]);

		bits[i / 64] |= (uint64_t)fits << (i % 64);
		count += fits;
	}
	return count;
}

static void add_atom(struct signature_finder *f, const struct grain *grain, const struct look *look)
{
	struct atom *atom = &f->atoms[grain->part][f->atom_count[grain->part]];
	size_t covers, hits;

	if (f->atom_count[grain->part] == ATOMS_MAX || !pattern_of(grain, look, &atom->pattern))
		return;
	atom->width = grain->width;
	covers = set_bits(&atom->pattern, f->growth, f->growth_used, atom->growth);
	hits = set_bits(&atom->pattern, f->base, f->base_used, atom->base);
	/* Where there is but one zone nobody wants to read of it. */
	if (grain->part == PART_ZONE && covers == f->growth_used && hits == f->base_used)
		return;
	f->atom_count[grain->part]++;
}

static size_t least_covered(const struct signature_finder *f)
{
	double least = ceil(f->config.min_coverage * (double)f->growth_used);

	return least < 1 ? 1 : (size_t)least;
}

/* All values of a grain that hold for enough of the growth. */
static void find_atoms(struct signature_finder *f, const struct grain *grain)
{
	size_t least = least_covered(f);

	memset(f->tallies, 0, sizeof(f->tallies));
	for (size_t i = 0; i < f->growth_used; i++) {
		struct signature_pattern p;
		uint64_t hash;
		size_t at;

		if (!pattern_of(grain, &f->growth[i], &p))
			continue;
		hash = hash_pattern(f, &p);
		at = hash % TALLY_SLOTS;
		while (f->tallies[at].hash && f->tallies[at].hash != hash)
			at = (at + 1) % TALLY_SLOTS;
		if (!f->tallies[at].hash)
			f->tallies[at] = (struct tally){.hash = hash, .first = (uint32_t)i};
		/* Exactly once: the one that makes it enough. */
		if (++f->tallies[at].count == least)
			add_atom(f, grain, &f->growth[f->tallies[at].first]);
	}
}

/* ---- conjunctions ---- */

struct search {
	struct signature_finder *finder;
	size_t least;	  /* growth that a key must cover */
	double most_hits; /* share of the base */
	double good;	  /* second round: from this value on the narrowest wins */
	const struct atom *path[PART_COUNT]; /* NULL: any */
	struct choice {
		bool is_found;
		double value, width;
		size_t covers;
		double hits; /* share */
		const struct atom *path[PART_COUNT];
	} best;
};

static size_t and_bits(const uint64_t a[WORDS], const uint64_t b[WORDS], uint64_t to[WORDS])
{
	size_t count = 0;

	for (int i = 0; i < WORDS; i++) {
		to[i] = a[i] & b[i];
		count += (size_t)__builtin_popcountll(to[i]);
	}
	return count;
}

static double hits_of(const struct search *search, double width)
{
	const struct signature_finder *f = search->finder;
	size_t count = 0;

	for (int i = 0; i < WORDS; i++) {
		uint64_t bits = ~0ULL;

		for (int part = 0; part < PART_COUNT; part++)
			if (search->path[part])
				bits &= search->path[part]->base[i];
		count += (size_t)__builtin_popcountll(bits);
	}
	if (f->base_used >= BASE_LEAST)
		return (double)count / (double)f->base_used;
	return ((double)count + 8 * width) / ((double)f->base_used + 8);
}

static void judge(struct search *search, size_t covers)
{
	struct choice choice = {.is_found = true, .covers = covers, .width = 1};
	double left;

	for (int part = 0; part < PART_COUNT; part++)
		if (search->path[part])
			choice.width *= search->path[part]->width;
	if (choice.width >= 1)
		return; /* everything */
	choice.hits = hits_of(search, choice.width);
	if (choice.hits > search->most_hits)
		return;
	/* Beyond the bound hits may be all there is: then they weigh half, for some answer. */
	left = 1 - choice.width - choice.hits * (search->most_hits < 1 ? 1 : 0.5);
	left = left > 0 ? left : 0;
	choice.value =
		sqrt((double)covers / (double)search->finder->growth_used) * left * left * left;
	memcpy(choice.path, search->path, sizeof(choice.path));
	if (choice.value < search->good)
		return;
	if (search->best.is_found && search->good > 0 &&
	    (choice.width > search->best.width ||
	     (choice.width == search->best.width && choice.value <= search->best.value)))
		return;
	if (search->best.is_found && search->good <= 0 && choice.value <= search->best.value)
		return;
	search->best = choice;
}

/* part: the next to choose a condition of. covered: growth that all chosen ones hold for. */
static void descend(struct search *search, int part, const uint64_t covered[WORDS], size_t covers)
{
	const struct signature_finder *f = search->finder;
	uint64_t next[WORDS];

	if (part == PART_COUNT) {
		judge(search, covers);
		return;
	}
	search->path[part] = NULL;
	descend(search, part + 1, covered, covers);
	for (size_t i = 0; i < f->atom_count[part]; i++) {
		size_t left = and_bits(covered, f->atoms[part][i].growth, next);

		if (left < search->least)
			continue;
		search->path[part] = &f->atoms[part][i];
		descend(search, part + 1, next, left);
	}
	search->path[part] = NULL;
}

/* Two rounds: how good it gets, then the narrowest that is about as good. */
static struct choice best_of(struct signature_finder *f, double most_hits)
{
	struct search search = {.finder = f, .least = least_covered(f), .most_hits = most_hits};
	size_t open = 0;

	for (int i = 0; i < WORDS; i++)
		open += (size_t)__builtin_popcountll(f->open[i]);
	descend(&search, 0, f->open, open);
	if (!search.best.is_found || search.best.value <= 0)
		return (struct choice){.is_found = false};
	search.good = AS_GOOD * search.best.value;
	search.best = (struct choice){.is_found = false};
	descend(&search, 0, f->open, open);
	return search.best;
}

static void merge(struct signature_pattern *to, const struct signature_pattern *from)
{
	for (int i = 0; i < 2; i++) {
		to->src[i] |= from->src[i];
		to->src_mask[i] |= from->src_mask[i];
		to->dst[i] |= from->dst[i];
		to->dst_mask[i] |= from->dst_mask[i];
	}
	to->family |= from->family; /* the same, or one is 0 */
	to->src_len |= from->src_len;
	to->dst_len |= from->dst_len;
	to->has_protocol |= from->has_protocol;
	to->has_port |= from->has_port;
	to->has_zone |= from->has_zone;
	to->protocol |= from->protocol;
	to->port |= from->port;
	to->zone |= from->zone;
	to->classes &= from->classes;
}

static struct signature signature_from(const struct signature_finder *f,
				       const struct signature_input *input,
				       const struct choice *choice)
{
	struct signature signature = {.pattern = {.classes = CLASSES_ALL}};

	for (int part = 0; part < PART_COUNT; part++)
		if (choice->path[part])
			merge(&signature.pattern, &choice->path[part]->pattern);
	signature.coverage = (double)choice->covers / (double)f->growth_used;
	signature.growth = (uint64_t)(signature.coverage * (double)input->growth_flows + 0.5);
	signature.is_blind = !f->base_used;
	if (!signature.is_blind) {
		signature.base_share = choice->hits;
		signature.base = (uint64_t)(choice->hits * (double)input->base_flows + 0.5);
		signature.hits_base = signature_hits_base(&signature, &f->config);
	}
	signature.cannot_tell_apart = signature.hits_base;
	return signature;
}

static void close_covered(struct signature_finder *f, const struct choice *choice)
{
	for (int i = 0; i < WORDS; i++) {
		uint64_t bits = ~0ULL;

		for (int part = 0; part < PART_COUNT; part++)
			if (choice->path[part])
				bits &= choice->path[part]->growth[i];
		f->open[i] &= ~bits;
	}
}

static void prepare(struct signature_finder *f, const struct signature_input *input)
{
	f->growth_used = looks_from(input->growth, f->growth);
	f->base_used = looks_from(input->base, f->base);
	memset(f->atom_count, 0, sizeof(f->atom_count));
	for (size_t i = 0; i < sizeof(grains) / sizeof(grains[0]); i++)
		find_atoms(f, &grains[i]);
	memset(f->open, 0, sizeof(f->open));
	for (size_t i = 0; i < f->growth_used; i++)
		f->open[i / 64] |= 1ULL << (i % 64);
}

size_t signature_find(struct signature_finder *f, const struct signature_input *input, size_t max,
		      struct signature *ret_signatures)
{
	/* Without a base nothing can be hit. */
	double bound = input->base->used ? f->config.max_base_share : 1;
	size_t n = 0;

	if (input->growth_flows < f->config.min_growth || !input->growth->used)
		return 0;
	prepare(f, input);
	while (n < max && n < SIGNATURE_MAX) {
		struct choice choice = best_of(f, bound);

		if (!choice.is_found && n == 0)
			choice = best_of(f, 1); /* then at least say what it is */
		if (!choice.is_found)
			break;
		ret_signatures[n] = signature_from(f, input, &choice);
		close_covered(f, &choice);
		if (ret_signatures[n++].hits_base)
			break;
	}
	return n;
}
