#include "stix_builtin.h"

#define TLP2(id, word, name)                                                                       \
    "{\"created\":\"2022-10-01T00:00:00.000Z\",\"extensions\":{\"" STIX_TLP2_EXTENSION             \
    "\":{\"extension_type\":\"property-extension\",\"tlp_2_0\":\"" word "\"}},\"id\":\"" id        \
    "\",\"name\":\"" name "\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"

#define TLP1(id, word, name)                                                                       \
    "{\"created\":\"2017-01-20T00:00:00.000Z\",\"definition\":{\"tlp\":\"" word                    \
    "\"},\"definition_type\":\"tlp\",\"id\":\"" id "\",\"name\":\"" name                           \
    "\",\"spec_version\":\"2.1\",\"type\":\"marking-definition\"}"

#define CURRENT(level, id, word, name)                                                             \
    {                                                                                              \
        id, level, true, name, TLP2(id, word, name)                                                \
    }
#define OLD(level, id, word, name)                                                                 \
    {                                                                                              \
        id, level, false, name, TLP1(id, word, name)                                               \
    }

static const struct stix_builtin builtins[] = {
    CURRENT(STIX_TLP_CLEAR, "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487", "clear",
            "TLP:CLEAR"),
    CURRENT(STIX_TLP_GREEN, "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb", "green",
            "TLP:GREEN"),
    CURRENT(STIX_TLP_AMBER, "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421", "amber",
            "TLP:AMBER"),
    CURRENT(STIX_TLP_AMBER_STRICT, "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            "amber+strict", "TLP:AMBER+STRICT"),
    CURRENT(STIX_TLP_RED, "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1", "red",
            "TLP:RED"),
    OLD(STIX_TLP_CLEAR, "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "white",
        "TLP:WHITE"),
    OLD(STIX_TLP_GREEN, "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "green",
        "TLP:GREEN"),
    OLD(STIX_TLP_AMBER, "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "amber",
        "TLP:AMBER"),
    OLD(STIX_TLP_RED, "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "red", "TLP:RED"),
    /* OpenCTI's own, from before TLP 2.0 had objects. */
    {"marking-definition--826578e1-40ad-459f-bc73-ede076f81f37", STIX_TLP_AMBER_STRICT, false,
     "TLP:AMBER+STRICT", NULL},
};

const struct stix_builtin *
stix_builtin_find(struct span id)
{
    for (size_t i = 0; i < sizeof(builtins) / sizeof(builtins[0]); i++)
        if (span_is(id, builtins[i].id))
            return &builtins[i];
    return NULL;
}

const struct stix_builtin *
stix_builtins(size_t *n)
{
    *n = sizeof(builtins) / sizeof(builtins[0]);
    return builtins;
}

const char *
stix_tlp_name(enum stix_tlp t)
{
    static const char *const names[STIX_TLPS] = {"CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"};
    return (unsigned)t < STIX_TLPS ? names[t] : "RED"; /* the strictest reading wins */
}

bool
stix_tlp_read(struct span s, enum stix_tlp *out)
{
    static const struct {
        const char *word;
        enum stix_tlp tlp;
    } words[] = {{"clear", STIX_TLP_CLEAR},
                 {"white", STIX_TLP_CLEAR},
                 {"green", STIX_TLP_GREEN},
                 {"amber", STIX_TLP_AMBER},
                 {"amber+strict", STIX_TLP_AMBER_STRICT},
                 {"amber-strict", STIX_TLP_AMBER_STRICT},
                 {"amber_strict", STIX_TLP_AMBER_STRICT},
                 {"amber strict", STIX_TLP_AMBER_STRICT},
                 {"red", STIX_TLP_RED}};
    s = span_trim(s);
    if (span_eq_nocase(span_part(s, 0, 4), SPAN("tlp:")))
        s = span_trim(span_part(s, 4, s.n));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (span_eq_nocase(s, span_of(words[i].word))) {
            *out = words[i].tlp;
            return true;
        }
    }
    return false;
}
