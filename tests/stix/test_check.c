/* Rule by rule: what is said of which object, how severely, and where. */
#include "stix_test.h"

#include "crypto.h"
#include "mem.h"

#define IND(rest)                                                                                  \
    TEST_SDO("indicator", ",'pattern':'[a:b = 1]','pattern_type':'stix',"                          \
                          "'valid_from':'2025-01-01T00:00:00Z'" rest)
#define TO(type)       "'" type "--" TEST_OTHER "'"
#define EXT            "extension-definition--" TEST_OTHER
#define SDO_HEAD(type) "'type':'" type "','id':'" type "--" TEST_UUID "'"
#define REL(name, from, to)                                                                        \
    TEST_SDO("relationship",                                                                       \
             ",'relationship_type':'" name "','source_ref':" TO(from) ",'target_ref':" TO(to))
#define VULN(refs)  TEST_SDO("vulnerability", ",'name':'n','external_references':[" refs "]")
#define FILE_(rest) TEST_SCO("file", ",'name':'n'" rest)
#define MARK(rest)                                                                                 \
    "{'type':'marking-definition','id':'marking-definition--" TEST_UUID "','spec_version':'2.1',"  \
    "'created':'2025-01-01T00:00:00.000Z'" rest "}"
#define OBSERVED(rest)                                                                             \
    TEST_SDO("observed-data", ",'first_observed':'2025-01-01T00:00:00Z',"                          \
                              "'last_observed':'2025-01-01T00:00:00Z','number_observed':1" rest)

struct rule_case {
    const char *object;
    const char *found;
};

/* Not to be kept at all. */
static const struct rule_case refused[] = {
    {"[]", "refuse object "},
    {"'text'", "refuse object "},
    {"null", "refuse object "},
    {"{}", "refuse type "},
    {"{'type':7}", "refuse type /type"},
    {"{'type':''}", "refuse type /type"},
    {"{'type':'Malware','id':'Malware--" TEST_UUID "'}", "refuse type /type"},
    {"{'type':'a--b','id':'a--b--" TEST_UUID "'}", "refuse type /type"},
    {"{'type':null,'id':'malware--" TEST_UUID "'}", "refuse type /type"},
    {"{'type':'malware'}", "refuse id "},
    {"{'type':'malware','id':null}", "refuse id /id"},
    {"{'type':'malware','id':'malware'}", "refuse id /id"},
    {"{'type':'malware','id':'malware--1'}", "refuse id /id"},
    {"{'type':'malware','id':'tool--" TEST_UUID "'}", "refuse id /id"},
    {"{" SDO_HEAD("malware") ",'created':null}", "refuse created /created"},
    {"{" SDO_HEAD("malware") ",'created':'yesterday'}", "refuse created /created"},
    {"{" SDO_HEAD("malware") ",'created':'2026-01-01T00:00:00.000+00:00'}",
     "refuse created /created"},
    {"{" SDO_HEAD("malware") ",'created':'2026-02-30T00:00:00.000Z'}", "refuse created /created"},
    {"{" SDO_HEAD("malware") ",'modified':1700000000}", "refuse modified /modified"},
    {"{" SDO_HEAD("x-new") ",'modified':'2026-01-01'}", "refuse modified /modified"},
    {"{" SDO_HEAD("marking-definition") ",'created':''}", "refuse created /created"},
};

/* Common properties: STIX 2.1 section 3. */
static const struct rule_case common[] = {
    {IND(""), ""},
    {TEST_SDO("malware", ""), "must required "},
    {"{" SDO_HEAD("incident") ",'name':'n'}", "must required ; must required ; must required "},
    {"{" SDO_HEAD("incident") ",'name':'n','created':'2026-01-01T00:00:00Z','modified':"
                              "'2026-01-01T00:00:00.12Z','spec_version':'2.0'}",
     "must milliseconds /created; must milliseconds /modified; must spec-version /spec_version"},
    {"{" SDO_HEAD("incident") ",'name':'n','created':'2026-01-01T00:00:00.000Z','modified':"
                              "'2025-12-31T23:59:59.999999Z','spec_version':'2.1'}",
     "must time-order /modified"},
    {IND(",'confidence':0"), ""},
    {IND(",'confidence':100"), ""},
    {IND(",'confidence':-1"), "must range /confidence"},
    {IND(",'confidence':101"), "must range /confidence"},
    {IND(",'confidence':50.5"), "must type /confidence"},
    {IND(",'confidence':5e1"), ""},
    {IND(",'confidence':'high'"), "must type /confidence"},
    {IND(",'confidence':null"), "must null /confidence"},
    {IND(",'lang':'en'"), ""},
    {IND(",'lang':'zh-Hant-TW'"), ""},
    {IND(",'lang':'x-klingon'"), ""},
    {IND(",'lang':'sgn-BE-FR'"), ""},
    {IND(",'lang':''"), "must language /lang"},
    {IND(",'lang':'e'"), "must language /lang"},
    {IND(",'lang':'en_US'"), "must language /lang"},
    {IND(",'lang':'en-'"), "must language /lang"},
    {IND(",'lang':'en--us'"), "must language /lang"},
    {IND(",'lang':'123'"), "must language /lang"},
    {IND(",'lang':'English (US)'"), "must language /lang"},
    {IND(",'revoked':'true'"), "must type /revoked"},
    {IND(",'revoked':0"), "must type /revoked"},
    {IND(",'labels':[]"), "must empty /labels"},
    {IND(",'labels':'a'"), "must type /labels"},
    {IND(",'labels':null"), "must null /labels"},
    {IND(",'labels':['a',null]"), "must null /labels/1"},
    {IND(",'labels':['a',1]"), "must type /labels/1"},
    {IND(",'defanged':true"), "must forbidden /defanged"},
    {IND(",'severity':'high'"), "must forbidden /severity"},
    {IND(",'username':'x'"), "must forbidden /username"},
    {IND(",'created_by_ref':" TO("identity")), ""},
    {IND(",'created_by_ref':" TO("tool")), "must ref-type /created_by_ref"},
    {IND(",'created_by_ref':" TO("x-new")), "must ref-type /created_by_ref"},
    {IND(",'created_by_ref':'me'"), "must identifier /created_by_ref"},
    {IND(",'object_marking_refs':[" TO("marking-definition") "]"), ""},
    {IND(",'object_marking_refs':[" TO("identity") "]"), "must ref-type /object_marking_refs/0"},
    {IND(",'object_marking_refs':" TO("marking-definition")), "must type /object_marking_refs"},
    {IND(",'external_references':[{'source_name':'a'}]"), "must one-of /external_references/0"},
    {IND(",'external_references':[{'url':'https://a.example'}]"),
     "must required /external_references/0"},
    {IND(",'external_references':[{'source_name':'a','url':'see below'}]"),
     "should url /external_references/0/url"},
    {IND(",'external_references':[{'source_name':'a','url':'a:b','hashes':{'MD5':'x'}}]"),
     "must hash-value /external_references/0/hashes/MD5"},
    {IND(",'external_references':[{'source_name':'cve','external_id':'CVE-26-1'}]"),
     "must external-id /external_references/0/external_id"},
    {IND(",'external_references':[{'source_name':'nvd','external_id':'CVE-2026-1234'}]"), ""},
    {VULN("{'source_name':'nvd','external_id':'CVE-2026-1234'}"),
     "must external-id /external_references/0/external_id"},
    {VULN("{'source_name':'cve','external_id':'CVE-2026-123'}"),
     "must external-id /external_references/0/external_id"},
    {VULN("{'source_name':'cve','external_id':'CVE-2026-1234567'}"), ""},
    {VULN("{'source_name':'cve','external_id':'CVE-2026-1234x'}"),
     "must external-id /external_references/0/external_id"},
    {VULN("{'source_name':'capec','external_id':'163'}"),
     "must external-id /external_references/0/external_id"},
    {IND(",'kill_chain_phases':[{'kill_chain_name':'Kill Chain','phase_name':'a_b'}]"),
     "should lowercase /kill_chain_phases/0/kill_chain_name; "
     "should lowercase /kill_chain_phases/0/phase_name"},
    {IND(",'kill_chain_phases':[{}]"),
     "must required /kill_chain_phases/0; must required /kill_chain_phases/0"},
    {IND(",'kill_chain_phases':{}"), "must type /kill_chain_phases"},
    {"{'type':'indicator','id':'indicator--11111111-1111-4111-8111-11111111111A'," TEST_CORE
     ",'pattern':'p','pattern_type':'pcre','valid_from':'2025-01-01T00:00:00Z'}",
     "should id-case /id"},
    {"{'type':'incident','id':'incident--11111111-1111-9111-8111-111111111111'," TEST_CORE
     ",'name':'n'}",
     "must uuid /id"},
    {"{'type':'incident','id':'incident--11111111-1111-4111-0111-111111111111'," TEST_CORE
     ",'name':'n'}",
     "must uuid /id"},
    {"{'type':'incident','id':'incident--00000000-0000-0000-0000-000000000000'," TEST_CORE
     ",'name':'n'}",
     "must uuid /id"},
};

/* What is not in the standard: sections 7.3 and 11. */
static const struct rule_case custom[] = {
    {IND(",'x_a':1"), "should custom-property /x_a"},
    {IND(",'x_a':1,'x_b':2"), "should custom-property /x_a"},
    {IND(",'x_a':null"), "must null /x_a; should custom-property /x_a"},
    {IND(",'x_a':{'b':[[]]}"), "must empty /x_a/b/0; should custom-property /x_a"},
    {IND(",'xy':1"), "must name /xy; should custom-property /xy"},
    {IND(",'x-a':1"), "must name /x-a; should custom-property /x-a"},
    {IND(",'X_A':1"), "must name /X_A; should custom-property /X_A"},
    {IND(",'_xa':1"), "must name /_xa; should custom-property /_xa"},
    {IND(",'ชื่อ':1"), "must name /ชื่อ; should custom-property /ชื่อ"},
    {IND(",'x_a':1,'extensions':{'" EXT "':{'extension_type':'toplevel-property-extension'}}"), ""},
    {IND(",'x_a':1,'extensions':{'" EXT "':{'extension_type':'property-extension'}}"),
     "should custom-property /x_a"},
    {IND(",'extensions':{}"), "must empty /extensions"},
    {IND(",'extensions':[]"), "must type /extensions"},
    {IND(",'extensions':{'" EXT "':{}}"),
     "must empty /extensions/" EXT "; must required /extensions/" EXT},
    {IND(",'extensions':{'" EXT "':{'rank':1}}"), "must required /extensions/" EXT},
    {IND(",'extensions':{'" EXT "':{'extension_type':'other'}}"),
     "must vocab /extensions/" EXT "/extension_type"},
    {IND(",'extensions':{'" EXT "':{'extension_type':'property-extension','A':1}}"),
     "must name /extensions/" EXT "/A"},
    {IND(",'extensions':{'" EXT "':{'extension_type':'property-extension','abc':[null]}}"),
     "must null /extensions/" EXT "/abc/0"},
    {IND(",'extensions':{'" EXT "':7}"), "must type /extensions/" EXT},
    {IND(",'extensions':{'extension-definition--1':{'extension_type':'property-extension'}}"),
     "must extension-key /extensions/extension-definition--1"},
    {IND(",'extensions':{'archive-ext':{'comment':'c'}}"),
     "should custom-extension /extensions/archive-ext"},
    {FILE_(",'extensions':{'x-foo-ext':{'abc':1}}"),
     "should custom-extension /extensions/x-foo-ext"},
    {FILE_(",'extensions':{'x-foo':{'abc':1}}"), "must extension-key /extensions/x-foo"},
    {FILE_(",'extensions':{'archive-ext':{'comment':'c'}}"),
     "must required /extensions/archive-ext"},
    {FILE_(",'extensions':{'archive-ext':{'contains_refs':[" TO("url") "]}}"),
     "must ref-type /extensions/archive-ext/contains_refs/0"},
    {FILE_(",'extensions':{'pdf-ext':{'x_a':1}}"),
     "should custom-property /extensions/pdf-ext/x_a; must one-of /extensions/pdf-ext"},
    {FILE_(",'extensions':{'windows-pebinary-ext':{'pe_type':'exe'}}"),
     "must one-of /extensions/windows-pebinary-ext"},
    {"{" SDO_HEAD("x-new") ",'name':'n'}", "should custom-object /type"},
    {TEST_SDO("x-new", ",'name':'n'"), "should custom-object /type"},
    {"{" SDO_HEAD("x-new") ",'created':'2026-01-01T00:00:00.000Z'}",
     "should custom-object /type; must required ; must required "},
    {"{" SDO_HEAD("x-new") ",'extensions':{'" EXT "':{'extension_type':'new-sco'}},'abc':1}", ""},
    {"{" SDO_HEAD("x-new") ",'extensions':{'" EXT "':{'extension_type':'new-sdo'}}}",
     "must required ; must required ; must required "},
    {TEST_SDO("x_new", ",'extensions':{'" EXT "':{'extension_type':'new-sdo'}}"),
     "must name /type"},
    {TEST_SDO("xn", ",'extensions':{'" EXT "':{'extension_type':'new-sro'}}"), "must name /type"},
    {TEST_SDO("1-new", ",'extensions':{'" EXT "':{'extension_type':'new-sro'}}"),
     "must name /type"},
};

/* Domain objects, one section after the other. */
static const struct rule_case sdo[] = {
    {IND(",'valid_until':'2025-01-01T00:00:00.000000001Z'"), ""},
    {IND(",'valid_until':'2025-01-01T00:00:00Z'"), "must time-order /valid_until"},
    {IND(",'valid_until':'2024-01-01T00:00:00Z'"), "must time-order /valid_until"},
    {IND(",'valid_until':'soon'"), "must timestamp /valid_until"},
    {IND(",'valid_until':'2025-01-01 00:00:00Z'"), "must timestamp /valid_until"},
    {IND(",'valid_until':'2025-01-01T00:00:00.Z'"), "must timestamp /valid_until"},
    {IND(",'indicator_types':['something-else']"), ""},
    {IND(",'indicator_types':'benign'"), "must type /indicator_types"},
    {TEST_SDO("indicator", ""), "must required ; must required ; must required "},
    {TEST_SDO("campaign", ",'name':'n','first_seen':'2025-01-01T00:00:00Z','last_seen':"
                          "'2024-12-31T23:59:59.999Z'"),
     "must time-order /last_seen"},
    {TEST_SDO("campaign", ",'name':'n','last_seen':'2024-12-31T23:59:59.999Z'"), ""},
    {TEST_SDO("location", ",'name':'n'"), "must one-of "},
    {TEST_SDO("location", ",'latitude':1"), "must one-of ; must required "},
    {TEST_SDO("location", ",'region':'asia','longitude':1"), "must required "},
    {TEST_SDO("location", ",'country':'MY','precision':1"), "must required /precision"},
    {TEST_SDO("location", ",'latitude':90.0001,'longitude':-180"), "must range /latitude"},
    {TEST_SDO("location", ",'latitude':90,'longitude':-180.5"), "must range /longitude"},
    {TEST_SDO("location", ",'latitude':'48.8566','longitude':'2.3522'"),
     "must type /latitude; must type /longitude"},
    {TEST_SDO("location", ",'country':'MYS'"), "should country /country"},
    {TEST_SDO("malware", ",'is_family':true"), "must required "},
    {TEST_SDO("malware", ",'is_family':'no','name':'n'"), "must type /is_family"},
    {TEST_SDO("malware", ",'is_family':false,'sample_refs':[" TO("url") "]"),
     "must ref-type /sample_refs/0"},
    {TEST_SDO("malware-analysis", ",'product':'p'"), "must one-of "},
    {TEST_SDO("malware-analysis", ",'product':'p','result':'benign','sample_ref':" TO("url")),
     "must ref-type /sample_ref"},
    {TEST_SDO("malware-analysis", ",'product':'p','analysis_sco_refs':[" TO("malware") "]"),
     "must ref-type /analysis_sco_refs/0"},
    {TEST_SDO("report", ",'name':'n','published':'2025-01-01T00:00:00Z','object_refs':[]"),
     "must empty /object_refs"},
    {TEST_SDO("report", ",'name':'n','published':'2025-01-01T00:00:00Z','object_refs':[" TO(
                            "bundle") ",'x']"),
     "must ref-type /object_refs/0; must identifier /object_refs/1"},
    {TEST_SDO("opinion", ",'opinion':'maybe','object_refs':[" TO("tool") "]"),
     "must vocab /opinion"},
    {TEST_SDO("note", ",'content':'c'"), "must required "},
    {OBSERVED(""), "must one-of "},
    {OBSERVED(",'object_refs':[" TO("url") "]"), ""},
    {OBSERVED(",'object_refs':[" TO("sighting") "]"), "must one-of /object_refs"},
    {OBSERVED(",'object_refs':[" TO("malware") "," TO("url") "]"), "must ref-type /object_refs/0"},
    {OBSERVED(",'object_refs':[" TO("url") "],'objects':{'0':{'type':'url','value':'a:b'}}"),
     "must only-one /object_refs"},
    {OBSERVED(",'objects':{}"), "must empty /objects"},
    {OBSERVED(",'objects':{'0':{'type':'malware','name':'n'}}"), "must ref-type /objects/0"},
    {OBSERVED(",'objects':{'0':{'type':'x-old','name':[]}}"), "must empty /objects/0/name"},
    {OBSERVED(",'objects':{'0':{'type':'network-traffic','protocols':['tcp'],'src_ref':'1'}}"),
     "must local-ref /objects/0/src_ref"},
    {OBSERVED(",'objects':{'0':{'type':'network-traffic','protocols':['tcp'],'src_ref':'1'},"
              "'1':{'type':'url','value':'a:b'}}"),
     "must ref-type /objects/0/src_ref"},
    {OBSERVED(",'objects':{'0':{'type':'domain-name','value':'-bad-'}}"),
     "must domain /objects/0/value"},
    {TEST_SDO("observed-data", ",'first_observed':'2025-01-01T00:00:00Z','last_observed':"
                               "'2024-01-01T00:00:00Z','number_observed':1000000000,"
                               "'object_refs':[" TO("url") "]"),
     "must range /number_observed; must time-order /last_observed"},
    {OBSERVED(",'number_observed2':1,'object_refs':[" TO("url") "]"),
     "should custom-property /number_observed2"},
};

/* Relationship objects: section 5 and the tables of section 4. */
static const struct rule_case sro[] = {
    {REL("indicates", "indicator", "malware"), ""},
    {REL("related-to", "note", "url"), ""},
    {REL("uses", "malware", "tool"), ""},
    {REL("resolves-to", "domain-name", "ipv4-addr"), ""},
    {REL("consists-of", "infrastructure", "mutex"), ""},
    {REL("consists-of", "infrastructure", "x-sco"), ""},
    {REL("indicates", "malware", "indicator"), "should relationship-ends /relationship_type"},
    {REL("indicates", "indicator", "url"), "should relationship-ends /relationship_type"},
    {REL("indicates", "x-new", "url"), ""},
    {REL("indicates", "indicator", "x-new"), ""},
    {REL("delivered-by", "malware", "tool"), ""},
    {REL("derived-from", "malware", "malware"), ""},
    {REL("derived-from", "malware", "tool"), "should relationship-ends /relationship_type"},
    {REL("duplicate-of", "x-a", "x-b"), "should relationship-ends /relationship_type"},
    {REL("Uses", "malware", "tool"), "must name /relationship_type"},
    {REL("made by", "malware", "tool"), "must name /relationship_type"},
    {REL("", "malware", "tool"), "must name /relationship_type"},
    {REL("related-to", "sighting", "tool"), "must ref-type /source_ref"},
    {REL("related-to", "tool", "relationship"), "must ref-type /target_ref"},
    {REL("related-to", "bundle", "marking-definition"),
     "must ref-type /source_ref; must ref-type /target_ref"},
    {REL("related-to", "language-content", "tool"), "must ref-type /source_ref"},
    {TEST_SDO("relationship", ""), "must required ; must required ; must required "},
    {TEST_SDO("relationship",
              ",'relationship_type':'related-to','source_ref':" TO("tool") ",'target_ref':" TO(
                  "tool") ",'start_time':'2025-01-01T00:00:00Z',"
                          "'stop_time':'2025-01-01T00:00:00Z'"),
     "must time-order /stop_time"},
    {TEST_SDO("sighting", ""), "must required "},
    {TEST_SDO("sighting", ",'sighting_of_ref':" TO("x-new") ",'count':999999999"), ""},
    {TEST_SDO("sighting", ",'sighting_of_ref':" TO("url") ",'count':1000000000"),
     "must range /count; must ref-type /sighting_of_ref"},
    {TEST_SDO("sighting", ",'sighting_of_ref':" TO("tool") ",'where_sighted_refs':[" TO(
                              "tool") "],'observed_data_refs':[" TO("url") "]"),
     "must ref-type /observed_data_refs/0; must ref-type /where_sighted_refs/0"},
};

/* Cyber-observables: section 6. */
static const struct rule_case sco[] = {
    {TEST_SCO("ipv4-addr", ",'value':'198.51.100.3'"), ""},
    {TEST_SCO("ipv4-addr", ",'value':'198.51.100.3/32'"), ""},
    {TEST_SCO("ipv4-addr", ",'value':'0.0.0.0/0'"), ""},
    {TEST_SCO("ipv4-addr", ",'value':'198.51.100.3/33'"), "must ip /value"},
    {TEST_SCO("ipv4-addr", ",'value':'198.51.100.3/'"), "must ip /value"},
    {TEST_SCO("ipv4-addr", ",'value':'198.51.100'"), "must ip /value"},
    {TEST_SCO("ipv4-addr", ",'value':'198.51.100.256'"), "must ip /value"},
    {TEST_SCO("ipv4-addr", ",'value':'198.51.100[.]3'"), "must ip /value"},
    {TEST_SCO("ipv4-addr", ",'value':' 198.51.100.3'"), "must ip /value"},
    {TEST_SCO("ipv4-addr", ",'value':''"), "must ip /value"},
    {TEST_SCO("ipv4-addr", ",'value':'2001:db8::1'"), "must ip /value"},
    {TEST_SCO("ipv6-addr", ",'value':'2001:db8::15'"), ""},
    {TEST_SCO("ipv6-addr", ",'value':'::ffff:198.51.100.3/128'"), ""},
    {TEST_SCO("ipv6-addr", ",'value':'2001:db8::/129'"), "must ip /value"},
    {TEST_SCO("ipv6-addr", ",'value':'2001:db8'"), "must ip /value"},
    {TEST_SCO("ipv6-addr", ",'value':'fe80::1%eth0'"), "must ip /value"},
    {TEST_SCO("ipv6-addr",
              ",'value':'2001:0db8:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000'"),
     "must ip /value"},
    {TEST_SCO("mac-addr", ",'value':'00:00:ab:cd:ef:01'"), ""},
    {TEST_SCO("mac-addr", ",'value':'00:00:AB:CD:EF:01'"), "must mac /value"},
    {TEST_SCO("mac-addr", ",'value':'00-00-ab-cd-ef-01'"), "must mac /value"},
    {TEST_SCO("mac-addr", ",'value':'0:0:ab:cd:ef:1'"), "must mac /value"},
    {TEST_SCO("domain-name", ",'value':'parcel-th.example'"), ""},
    {TEST_SCO("domain-name", ",'value':'_dmarc.example.com.'"), ""},
    {TEST_SCO("domain-name", ",'value':'ไทย.example'"), ""},
    {TEST_SCO("domain-name", ",'value':'xn--o3cw4h.example'"), ""},
    {TEST_SCO("domain-name", ",'value':''"), "must domain /value"},
    {TEST_SCO("domain-name", ",'value':'a..b'"), "must domain /value"},
    {TEST_SCO("domain-name", ",'value':'-a.example'"), "must domain /value"},
    {TEST_SCO("domain-name", ",'value':'https://a.example'"), "must domain /value"},
    {TEST_SCO("domain-name", ",'value':'*.example.com'"), "must domain /value"},
    {TEST_SCO("domain-name", ",'value':'a b'"), "must domain /value"},
    {TEST_SCO("domain-name", ",'value':'a.example..'"), "must domain /value"},
    {TEST_SCO("email-addr", ",'value':'soc@example.org'"), ""},
    {TEST_SCO("email-addr", ",'value':'soc'"), "must email /value"},
    {TEST_SCO("email-addr", ",'value':'@example.org'"), "must email /value"},
    {TEST_SCO("email-addr", ",'value':'soc@'"), "must email /value"},
    {TEST_SCO("email-addr", ",'value':'SOC <soc@example.org>'"), "must email /value"},
    {TEST_SCO("url", ",'value':'http://a.example/?q=%20'"), ""},
    {TEST_SCO("url", ",'value':'http://a.example/ไทย|{}'"), ""},
    {TEST_SCO("url", ",'value':'a.example/x'"), "must url /value"},
    {TEST_SCO("url", ",'value':'http:'"), "must url /value"},
    {TEST_SCO("url", ",'value':'http://a.example/a b'"), "must url /value"},
    {TEST_SCO("url", ",'value':'hxxp://a.example'"), ""},
    {TEST_SCO("url", ",'value':'1http://a.example'"), "must url /value"},
    {TEST_SCO("autonomous-system", ",'number':-1"), "must range /number"},
    {TEST_SCO("autonomous-system", ",'number':'AS64496'"), "must type /number"},
    {TEST_SCO("artifact", ""), "must one-of "},
    {TEST_SCO("artifact", ",'payload_bin':'aGVsbG8='"), ""},
    {TEST_SCO("artifact", ",'payload_bin':'aGVsbG8'"), "must binary /payload_bin"},
    {TEST_SCO("artifact", ",'payload_bin':'aGVsb_8='"), "must binary /payload_bin"},
    {TEST_SCO("artifact", ",'payload_bin':'a==='"), "must binary /payload_bin"},
    {TEST_SCO("artifact", ",'payload_bin':''"), "must binary /payload_bin"},
    {TEST_SCO("artifact", ",'url':'a:b'"), "must required "},
    {TEST_SCO("artifact", ",'url':'a:b','payload_bin':'aGVsbG8=','hashes':{'MD5':"
                          "'d41d8cd98f00b204e9800998ecf8427e'}"),
     "must only-one /url"},
    {TEST_SCO("artifact", ",'payload_bin':'aGVsbG8=','decryption_key':'k'"), "must required "},
    {TEST_SCO("artifact", ",'payload_bin':'aGVsbG8=','encryption_algorithm':'rot13'"),
     "must vocab /encryption_algorithm"},
    {TEST_SCO("file", ""), "must one-of "},
    {TEST_SCO("file", ",'size':1"), "must one-of "},
    {FILE_(",'size':-1"), "must range /size"},
    {FILE_(",'size':9007199254740991"), ""},
    {FILE_(",'magic_number_hex':'504B'"), "should hex-case /magic_number_hex"},
    {FILE_(",'magic_number_hex':'504'"), "must hex /magic_number_hex"},
    {FILE_(",'magic_number_hex':'50 4'"), "must hex /magic_number_hex"},
    {FILE_(",'hashes':{}"), "must empty /hashes"},
    {FILE_(",'hashes':{'SHA256':'00'}"), "must hash-name /hashes/SHA256"},
    {FILE_(",'hashes':{'md5':'d41d8cd98f00b204e9800998ecf8427e'}"), "must hash-name /hashes/md5"},
    {FILE_(",'hashes':{'MD5':'D41D8CD98F00B204E9800998ECF8427E'}"), ""},
    {FILE_(",'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427'}"), "must hash-value /hashes/MD5"},
    {FILE_(",'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427g'}"), "must hash-value /hashes/MD5"},
    {FILE_(",'hashes':{'SHA-256':'d41d8cd98f00b204e9800998ecf8427e'}"),
     "must hash-value /hashes/SHA-256"},
    {FILE_(",'hashes':{'SSDEEP':'3:a'}"), "must hash-value /hashes/SSDEEP"},
    {FILE_(",'hashes':{'SSDEEP':':a:b'}"), "must hash-value /hashes/SSDEEP"},
    {FILE_(",'hashes':{'TLSH':'T1'}"), "must hash-value /hashes/TLSH"},
    {FILE_(",'hashes':{'MD5':null}"), "must type /hashes/MD5"},
    {FILE_(",'mime_type':'pdf'"), "should mime /mime_type"},
    {TEST_SCO("file", ",'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427e'},'name_enc':'x'"),
     "must required /name_enc"},
    {FILE_(",'created':'2020'"), "should not-applicable /created"},
    {FILE_(",'labels':['a']"), "should not-applicable /labels"},
    {FILE_(",'spec_version':'2.0'"), "must spec-version /spec_version"},
    {TEST_SCO("directory", ""), "must required "},
    {TEST_SCO("email-message", ",'is_multipart':true,'body':'b'"), "must only-one /body"},
    {TEST_SCO("email-message", ",'is_multipart':false,'body_multipart':[{'body':'b'}]"),
     "must only-one /body_multipart"},
    {TEST_SCO("email-message", ",'is_multipart':true,'body_multipart':[{'content_type':'c'}]"),
     "must one-of /body_multipart/0"},
    {TEST_SCO("email-message", ",'is_multipart':false,'from_ref':" TO("user-account")),
     "must ref-type /from_ref"},
    {TEST_SCO("email-message", ",'is_multipart':false,'additional_header_fields':{'A':'b'}"),
     "must dict-value /additional_header_fields/A"},
    {TEST_SCO("email-message", ",'is_multipart':false,'additional_header_fields':{'A b':['c']}"),
     "must dict-key /additional_header_fields/A b"},
    {TEST_SCO("network-traffic", ",'protocols':['tcp']"), "must one-of "},
    {TEST_SCO("network-traffic", ",'src_ref':" TO("ipv4-addr")), "must required "},
    {TEST_SCO("network-traffic", ",'protocols':['tcp'],'src_ref':" TO("url")),
     "must ref-type /src_ref"},
    {TEST_SCO("network-traffic",
              ",'protocols':['tcp'],'dst_ref':" TO("mac-addr") ",'dst_port':65536,'src_port':-1"),
     "must range /dst_port; must range /src_port"},
    {TEST_SCO("network-traffic", ",'protocols':['tcp'],'dst_ref':" TO(
                                     "mac-addr") ",'is_active':true,'end':'2025-01-01T00:00:00Z'"),
     "must only-one /end"},
    {TEST_SCO("network-traffic",
              ",'protocols':['tcp'],'dst_ref':" TO(
                  "mac-addr") ",'start':'2025-01-01T00:00:01Z','end':'2025-01-01T00:00:00Z'"),
     "must time-order /end"},
    {TEST_SCO("process", ""), "must one-of "},
    {TEST_SCO("process", ",'x_a':1"), "should custom-property /x_a; must one-of "},
    {TEST_SCO("process", ",'environment_variables':{'A':1}"),
     "must dict-value /environment_variables/A"},
    {TEST_SCO("software", ",'name':'n','cpe':'cpe:/a:x:y'"), "must cpe /cpe"},
    {TEST_SCO("software", ",'name':'n','cpe':'cpe:2.3:a:x:y'"), "must cpe /cpe"},
    {TEST_SCO("software", ",'name':'n','cpe':'cpe:2.3:a:x\\\\:y:z:1:*:*:*:*:*:*:*'"), ""},
    {TEST_SCO("software", ",'name':'n','languages':['en','a b']"), "must language /languages/1"},
    {TEST_SCO("user-account", ""), "must one-of "},
    {TEST_SCO("windows-registry-key", ""), "must one-of "},
    {TEST_SCO("windows-registry-key", ",'key':'HKLM\\\\Software'"), "must registry-hive /key"},
    {TEST_SCO("windows-registry-key", ",'key':'hkcu'"), "must registry-hive /key"},
    {TEST_SCO("windows-registry-key", ",'key':'HKLMX\\\\Software'"), ""},
    {TEST_SCO("windows-registry-key", ",'values':[{}]"), "must one-of /values/0"},
    {TEST_SCO("windows-registry-key", ",'values':[{'data_type':'REG_WORD'}]"),
     "must vocab /values/0/data_type"},
    {TEST_SCO("x509-certificate", ""), "must one-of "},
    {TEST_SCO("x509-certificate", ",'x509_v3_extensions':{}"), "must one-of /x509_v3_extensions"},
    /* Deterministic ids. */
    {"{'type':'domain-name','id':'domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7',"
     "'value':'example.com'}",
     ""},
    {"{'type':'domain-name','id':'domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7',"
     "'value':'example.org'}",
     "should sco-id /id"},
    {"{'type':'file','id':'file--bedb4899-d24b-5401-bc86-8f6b4cc18ec7','name_enc':'x','name':'a'}",
     "should sco-id /id"},
    {"{'type':'user-account','id':'user-account--bedb4899-d24b-5401-bc86-8f6b4cc18ec7',"
     "'display_name':'x'}",
     "must sco-id /id"},
    {"{'type':'process','id':'process--bedb4899-d24b-5401-bc86-8f6b4cc18ec7','pid':1}",
     "should sco-id /id"},
};

/* Meta objects and markings: section 7. */
static const struct rule_case meta[] = {
    {MARK(""), "must required ; must required "},
    {MARK(",'definition_type':'statement','definition':{'statement':'s'}"), ""},
    {MARK(",'definition_type':'statement','definition':{}"), "must required /definition"},
    {MARK(",'definition_type':'statement','definition':{'statement':1}"),
     "must type /definition/statement"},
    {MARK(",'definition_type':'statement','definition':'s'"), "must type /definition"},
    {MARK(",'definition_type':'other','definition':{'a':1}"), ""},
    {MARK(",'definition_type':'tlp','definition':{'tlp':'red'}"), "must tlp /id"},
    {MARK(",'definition_type':'statement','definition':{'statement':'s'},'modified':"
          "'2025-01-01T00:00:00.000Z','revoked':true"),
     "should not-applicable /modified; should not-applicable /revoked"},
    {MARK(",'definition_type':'statement','definition':{'statement':'s'},'object_marking_refs':["
          "'marking-definition--" TEST_UUID "']"),
     "must circular /object_marking_refs/0"},
    {"{'type':'marking-definition','id':'marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed',"
     "'spec_version':'2.1','created':'2017-01-20T00:00:00.000Z','definition_type':'tlp','name':"
     "'TLP:WHITE','definition':{'tlp':'white'}}",
     "must tlp /id"},
    {"{'type':'marking-definition','id':'marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1',"
     "'spec_version':'2.1','created':'2022-10-01T00:00:00.000Z','name':'TLP:CLEAR','extensions':{"
     "'extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d':{'extension_type':"
     "'property-extension','tlp_2_0':'clear'}}}",
     "must tlp /id"},
    {"{'type':'marking-definition','id':'marking-definition--826578e1-40ad-459f-bc73-ede076f81f37',"
     "'spec_version':'2.1','created':'2022-10-01T00:00:00.000Z','name':'TLP:AMBER+STRICT',"
     "'definition_type':'TLP','definition':{'TLP':'AMBER+STRICT'}}",
     ""},
    {IND(",'granular_markings':[{'marking_ref':" TO(
         "marking-definition") ",'selectors':['name']}],'name':'n'"),
     ""},
    {IND(",'granular_markings':[{'marking_ref':" TO(
         "marking-definition") ",'selectors':['description']}]"),
     "must selector-target /granular_markings/0/selectors/0"},
    {IND(",'granular_markings':[{'marking_ref':" TO(
         "marking-definition") ",'selectors':['pattern','a b']}]"),
     "must selector /granular_markings/0/selectors/1"},
    {IND(",'granular_markings':[{'selectors':['pattern']}]"), "must only-one /granular_markings/0"},
    {IND(",'granular_markings':[{'lang':'en','marking_ref':" TO(
         "marking-definition") ",'selectors':['pattern']}]"),
     "must only-one /granular_markings/0"},
    {IND(",'granular_markings':[{'lang':'en'}]"), "must required /granular_markings/0"},
    {IND(",'granular_markings':[{'marking_ref':" TO("tool") ",'selectors':['pattern']}]"),
     "must ref-type /granular_markings/0/marking_ref"},
    {IND(",'granular_markings':{}"), "must type /granular_markings"},
    {TEST_SDO("language-content", ",'object_ref':" TO("tool") ",'contents':{'en':{'name':'n'}}"),
     ""},
    {TEST_SDO("language-content", ",'object_ref':" TO("tool") ",'contents':{}"),
     "must empty /contents"},
    {TEST_SDO("language-content", ",'object_ref':" TO("tool") ",'contents':['en']"),
     "must type /contents"},
    {TEST_SDO("language-content", ",'object_ref':" TO("tool") ",'contents':{'en':'n','d e':{}}"),
     "must language /contents/d e; must empty /contents/d e; must type /contents/en"},
    {TEST_SDO("language-content",
              ",'object_ref':" TO("language-content") ",'contents':{'en':{'name':[]}}"),
     "must empty /contents/en/name; must ref-type /object_ref"},
    {TEST_SDO("language-content",
              ",'object_ref':" TO("tool") ",'contents':{'en':{'name':'n'}},'lang':'en'"),
     "should not-applicable /lang"},
    {TEST_SDO("extension-definition", ",'name':'n','schema':'s','version':'1','created_by_ref':" TO(
                                          "identity") ",'extension_types':['new-sdo']"),
     ""},
    {TEST_SDO("extension-definition", ",'name':'n','schema':'s','version':'1',"
                                      "'extension_types':['new-thing']"),
     "must vocab /extension_types/0; must required "},
    {TEST_SDO("extension-definition", ",'name':'n','schema':'s','version':'1','created_by_ref':" TO(
                                          "identity") ",'extension_types':['new-sdo'],"
                                                      "'extension_properties':['a']"),
     "must extension-properties /extension_properties"},
    {TEST_SDO("extension-definition", ",'name':'n','schema':'s','version':'1','created_by_ref':" TO(
                                          "identity") ",'extension_types':["
                                                      "'toplevel-property-extension']"),
     "should extension-properties "},
    {"{'type':'bundle','id':'bundle--" TEST_UUID "','objects':[]}", "must empty /objects"},
    {"{'type':'bundle','id':'bundle--" TEST_UUID "','spec_version':'2.0'}",
     "should custom-property /spec_version"},
};

static void
run(const struct rule_case *cases, size_t n)
{
    struct stix_test t;
    stix_test_begin(&t);
    for (size_t i = 0; i < n; i++) {
        char found[2000];
        arena_reset(t.a);
        stix_test_findings(&t, stix_test_parse(&t, cases[i].object), false, found, sizeof(found));
        if (strcmp(found, cases[i].found) != 0)
            fail_msg("%s\n  wanted '%s'\n  found  '%s'", cases[i].object, cases[i].found, found);
    }
    stix_test_end(&t);
}

#define RUN(table)                                                                                 \
    static void test_##table(void **state)                                                         \
    {                                                                                              \
        (void)state;                                                                               \
        run(table, sizeof(table) / sizeof(table[0]));                                              \
    }
RUN(refused)
RUN(common)
RUN(custom)
RUN(sdo)
RUN(sro)
RUN(sco)
RUN(meta)

/* What only suggests is told to who asks. */
static void
test_info(void **state)
{
    static const struct rule_case cases[] = {
        {IND(",'indicator_types':['something-else','benign']"),
         "info vocab-open /indicator_types/0"},
        {REL("delivered-by", "malware", "tool"), "info relationship-type /relationship_type"},
        {REL("delivered-by", "malware", "x-new"), ""},
        {TEST_SCO("mutex", ",'name':'n'"), "info sco-id-random /id"},
        {TEST_SCO("process", ",'pid':1"), ""},
        {"{'type':'incident','id':'incident--11111111-1111-5111-8111-111111111111'," TEST_CORE
         ",'name':'n'}",
         "info uuid-version /id"},
        {OBSERVED(",'objects':{'0':{'type':'url','value':'a:b'}}"), "info deprecated /objects"},
    };
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char found[1000];
        const struct json *o = stix_test_parse(&t, cases[i].object);
        stix_test_findings(&t, o, true, found, sizeof(found));
        assert_string_equal(found, cases[i].found);
        stix_test_findings(&t, o, false, found, sizeof(found));
        assert_string_equal(found, "");
    }
    stix_test_end(&t);
}

static void
test_head(void **state)
{
    struct stix_test t;
    struct stix_defect why;
    struct stix_head h;
    (void)state;
    stix_test_begin(&t);
    assert_int_equal(
        stix_head_read(stix_test_parse(&t, IND(",'revoked':true,'confidence':7,'lang':'th',"
                                               "'created_by_ref':" TO(
                                                   "identity") ",'labels':['a','b'],'name':'n'")),
                       &h, &why),
        0);
    assert_int_equal(h.class, STIX_SDO);
    assert_true(span_is(h.id.type, "indicator"));
    assert_true(h.revoked);
    assert_int_equal(h.confidence, 7);
    assert_int_equal(h.labels->count, 2);
    assert_null(h.extensions);
    assert_true(span_is(h.name, "n"));
    assert_true(span_is(h.created_by, "identity--" TEST_OTHER));
    assert_true(span_is(stix_head_version(&h)->text, "2026-01-01T00:00:00.000Z"));
    assert_int_equal(h.modified.digits, 3);
    /* What is of the wrong type counts as absent. */
    assert_int_equal(stix_head_read(stix_test_parse(&t, IND(",'revoked':'true','confidence':700,"
                                                            "'created_by_ref':'x','labels':'a'")),
                                    &h, &why),
                     0);
    assert_false(h.revoked);
    assert_int_equal(h.confidence, -1);
    assert_null(h.labels);
    assert_null(h.created_by.p);
    /* A cyber-observable has no dates, whatever it carries. */
    assert_int_equal(
        stix_head_read(stix_test_parse(&t, FILE_(",'created':7,'revoked':true")), &h, &why), 0);
    assert_null(stix_head_version(&h)->text.p);
    assert_false(h.revoked);
    assert_int_equal(
        stix_head_read(
            stix_test_parse(
                &t, "{" SDO_HEAD("marking-definition") ",'created':'2025-01-01T00:00:00Z'}"),
            &h, &why),
        0);
    assert_true(span_is(stix_head_version(&h)->text, "2025-01-01T00:00:00Z"));
    stix_test_end(&t);
}

/* A thousand faults: a hundred are told, all are counted. */
static void
test_bound(void **state)
{
    struct stix_test t;
    struct buf b;
    struct stix_defect why;
    struct stix_report r;
    struct stix_head h;
    struct err e = ERR_INIT;
    size_t told = 0;
    (void)state;
    stix_test_begin(&t);
    buf_init(&b, 1u << 20);
    buf_str(&b, "{" SDO_HEAD("incident") "," TEST_CORE ",'name':'n','labels':[0");
    for (int i = 1; i < 1000; i++)
        buf_str(&b, ",0");
    buf_str(&b, "],'x_a':1}");
    buf_u8(&b, 0);
    const struct json *o = stix_test_parse(&t, b.p);
    assert_int_equal(stix_head_read(o, &h, &why), 0);
    assert_int_equal(stix_check(o, &h, NULL, t.a, &r, &e), 0);
    for (const struct stix_defect *d = r.first; d != NULL; d = d->next)
        told++;
    assert_int_equal(told, STIX_DEFECTS_MAX);
    assert_int_equal(r.kept, STIX_DEFECTS_MAX);
    assert_int_equal(r.count[STIX_MUST], 1000);
    assert_int_equal(r.count[STIX_SHOULD], 1);
    /* One more, from somebody else. */
    assert_int_equal(stix_report_add(&r, t.a, (struct stix_defect){.severity = STIX_MUST}, &e), 0);
    assert_int_equal(r.count[STIX_MUST], 1001);
    assert_int_equal(r.kept, STIX_DEFECTS_MAX);
    buf_clear(&b);
    stix_test_end(&t);
}

/* Searches that multiply are given up, and it is said. */
static void
test_hostile(void **state)
{
    static const struct {
        const char *before, *entry, *after, *found;
    } cases[] = {
        {"{" SDO_HEAD("incident") "," TEST_CORE ",'name':'n','granular_markings':[{'lang':'en',"
                                  "'selectors':['labels.[99999]'",
         ",'labels.[99999]'", "]}],'labels':['a'", "should unchecked "},
        {"{" SDO_HEAD("observed-data") "," TEST_CORE ",'first_observed':'2025-01-01T00:00:00Z',"
                                       "'last_observed':'2025-01-01T00:00:00Z','number_observed':1,"
                                       "'objects':{'a':"
                                       "{'type':'process','pid':1,'child_refs':['a'",
         ",'a'", "]},'b':['a'", "should unchecked "},
    };
    struct stix_test t;
    struct buf b;
    (void)state;
    stix_test_begin(&t);
    buf_init(&b, 64u << 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char found[20000];
        buf_reset(&b);
        buf_str(&b, cases[i].before);
        for (int n = 1; n < 100000; n++)
            buf_str(&b, cases[i].entry);
        buf_str(&b, cases[i].after);
        if (i == 0)
            for (int n = 1; n < 100000; n++)
                buf_str(&b, ",'a'");
        buf_str(&b, "]");
        if (i == 1) {
            for (int n = 1; n < 1000; n++)
                buf_printf(&b, ",'x%d':{'type':'x'}", n);
            buf_str(&b, "}");
        }
        buf_str(&b, "}");
        buf_u8(&b, 0);
        assert_false(b.failed);
        arena_reset(t.a);
        stix_test_findings(&t, stix_test_parse(&t, b.p), false, found, sizeof(found));
        if (strstr(found, cases[i].found) == NULL)
            fail_msg("%s", found);
        assert_null(strstr(strstr(found, "unchecked") + 1, "unchecked"));
    }
    buf_clear(&b);
    stix_test_end(&t);
}

/* A value from outside is quoted, cut on a whole character. */
static void
test_quote(void **state)
{
    struct stix_test t;
    struct stix_defect why;
    struct stix_report r;
    struct stix_head h;
    struct err e = ERR_INIT;
    char text[900];
    (void)state;
    stix_test_begin(&t);
    snprintf(text, sizeof(text), TEST_SCO("ipv4-addr", ",'value':'%s'"),
             "กกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกกก%s%n");
    const struct json *o = stix_test_parse(&t, text);
    assert_int_equal(stix_head_read(o, &h, &why), 0);
    assert_int_equal(stix_check(o, &h, NULL, t.a, &r, &e), 0);
    assert_string_equal(r.first->text, "'กกกกกกกกกกกกกกกกกกกกกกกกกก...' is no IPv4 address and no "
                                       "CIDR range");
    o = stix_test_parse(&t, TEST_SCO("ipv4-addr", ",'value':'%s%n'"));
    assert_int_equal(stix_check(o, &h, NULL, t.a, &r, &e), 0);
    assert_string_equal(r.first->text, "'%s%n' is no IPv4 address and no CIDR range");
    stix_test_end(&t);
}

/* No memory: an error, and the report of before. */
static void
test_memory(void **state)
{
    static const char *const objects[] = {
        IND(",'x_a':null,'labels':[],'valid_until':'soon','xy':1"),
        "{'type':'domain-name','id':'domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7',"
        "'value':'example.org'}",
        TEST_SDO("x-new", ",'extensions':{'x':{}}"),
    };
    struct stix_test t;
    (void)state;
    stix_test_begin(&t);
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        const struct json *o = stix_test_parse(&t, objects[i]);
        struct stix_defect why;
        struct stix_head h;
        size_t failures = 0;
        assert_int_equal(stix_head_read(o, &h, &why), 0);
        for (size_t ceiling = 1; ceiling < 4000; ceiling += 16) {
            struct stix_report r = {.kept = 77};
            struct err e = ERR_INIT;
            struct arena *small = arena_new(ceiling);
            assert_non_null(small);
            int result = stix_check(o, &h, NULL, small, &r, &e);
            if (result < 0) {
                failures++;
                assert_int_equal(e.code, ERR_LIMIT);
                assert_int_equal(r.kept, 77);
            }
            arena_free(small);
        }
        assert_true(failures > 3);
        for (size_t n = 1;; n++) {
            struct stix_report r = {.kept = 77};
            struct err e = ERR_INIT;
            struct arena *fresh = arena_new(1u << 20);
            assert_non_null(fresh);
            mem_fail_at(n);
            int result = stix_check(o, &h, NULL, fresh, &r, &e);
            bool reached = mem_count() >= n;
            mem_fail_at(0);
            arena_free(fresh);
            if (!reached)
                break;
            assert_int_equal(result, -1);
            assert_int_equal(e.code, ERR_MEMORY);
            assert_int_equal(r.kept, 77);
        }
    }
    stix_test_end(&t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused), cmocka_unit_test(test_common),
        cmocka_unit_test(test_custom),  cmocka_unit_test(test_sdo),
        cmocka_unit_test(test_sro),     cmocka_unit_test(test_sco),
        cmocka_unit_test(test_meta),    cmocka_unit_test(test_info),
        cmocka_unit_test(test_head),    cmocka_unit_test(test_bound),
        cmocka_unit_test(test_quote),   cmocka_unit_test(test_memory),
        cmocka_unit_test(test_hostile),
    };
    struct err e = ERR_INIT;
    if (crypto_start(&e) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
