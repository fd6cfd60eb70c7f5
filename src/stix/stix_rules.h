/*
 * stix/stix_rules.h - the state of one check, how a finding is reported, and the rules between
 * fields that no table can say.
 */
#ifndef JAGA_STIX_STIX_RULES_H
#define JAGA_STIX_STIX_RULES_H

#include <stdbool.h>
#include "json.h"
#include "stix_check.h"
#include "stix_object.h"
#include "stix_spec.h"

/* Members and elements that one check passes over in search of what a selector, a reference inside
 * a container or a pointer names; such searches multiply, and a hostile object of 16 MiB could else
 * take minutes.  Some 20 ms. */
#define STIX_STEPS_MAX 10000000

struct stix_check_state {
    const struct json *root;
    const struct stix_head *head;
    const struct json *container; /* observed-data's objects while inside one, else NULL */
    enum stix_type_no type;
    bool info;
    bool extended; /* a toplevel-property-extension explains properties that are not known */
    bool failed;
    bool unchecked; /* has been said */
    size_t steps;   /* left of STIX_STEPS_MAX */
    struct arena *a;
    struct stix_report *out;
    struct err *e;
};

/* Reports a fault at the node. */
void stix_fault(struct stix_check_state *c, enum stix_severity severity, const char *rule,
                const char *clause, const struct json *at, const char *text);
/* The same; the sentence is made of text, in which one %s stands for the value, quoted and cut. */
void stix_fault_value(struct stix_check_state *c, enum stix_severity severity, const char *rule,
                      const char *clause, const struct json *at, const char *text,
                      struct span value);

/* Says once for an object that its searches were given up. */
void stix_fault_unchecked(struct stix_check_state *c, const struct json *at);

/* Looks at a value of which nothing is known: no null, no empty list in it, at any depth. */
void stix_check_unknown(struct stix_check_state *c, const struct json *v);

/* STIX 2.1 section 2.3: the name of an entry in a dictionary. */
bool stix_dict_key_ok(struct span s);
/* STIX 2.1 sections 3.1, 7.3.2 and 11.1.1: the name of a property. */
bool stix_property_name_ok(struct span s);
/* STIX 2.1 section 10.7: whether value has the form of that hash; false for an unknown name. */
bool stix_hash_ok(struct span name, struct span value);
bool stix_base64_ok(struct span s);
bool stix_hex_ok(struct span s, bool *upper);

void stix_rule_external_reference(struct stix_check_state *c, const struct json *o);
void stix_rule_granular_marking(struct stix_check_state *c, const struct json *o);
void stix_rule_location(struct stix_check_state *c, const struct json *o);
void stix_rule_malware(struct stix_check_state *c, const struct json *o);
void stix_rule_observed_data(struct stix_check_state *c, const struct json *o);
void stix_rule_relationship(struct stix_check_state *c, const struct json *o);
void stix_rule_language_content(struct stix_check_state *c, const struct json *o);
void stix_rule_marking_definition(struct stix_check_state *c, const struct json *o);
void stix_rule_extension_definition(struct stix_check_state *c, const struct json *o);
void stix_rule_artifact(struct stix_check_state *c, const struct json *o);
void stix_rule_email_message(struct stix_check_state *c, const struct json *o);
void stix_rule_name_enc(struct stix_check_state *c, const struct json *o);
void stix_rule_network_traffic(struct stix_check_state *c, const struct json *o);

#endif
