/*
 * tests/stix/good.h - at least one object of each type of STIX 2.1 that breaks no rule, together
 * with most of the properties there are.  Written with ' for ".
 */
#ifndef JAGA_TESTS_STIX_GOOD_H
#define JAGA_TESTS_STIX_GOOD_H

#include "stix_test.h"

#define KILL_CHAIN "'kill_chain_phases':[{'kill_chain_name':'a-b','phase_name':'c'}]"
#define SEEN       "'first_seen':'2025-01-01T00:00:00Z','last_seen':'2025-01-01T00:00:00.000Z'"
#define SHARED                                                                                     \
    "'created_by_ref':'identity--" TEST_OTHER "','revoked':false,'labels':['x'],'confidence':100," \
    "'lang':'th','external_references':[{'source_name':'a','description':'b'},"                    \
    "{'source_name':'cve','external_id':'CVE-2026-12345'},"                                        \
    "{'source_name':'c','url':'https://example.org/x','hashes':{'MD5':"                            \
    "'d41d8cd98f00b204e9800998ecf8427e'}}],'object_marking_refs':['marking-definition-"            \
    "-" TEST_OTHER                                                                                 \
    "'],'granular_markings':[{'lang':'km','selectors':['labels.[0]']},{'marking_ref':"             \
    "'marking-definition--" TEST_OTHER "','selectors':['external_references.[1].external_id']}],"  \
    "'extensions':{'extension-definition--" TEST_OTHER                                             \
    "':{'extension_type':'property-extension','rank':5}}"
#define SCO_SHARED                                                                                 \
    ",'spec_version':'2.1','defanged':true,'object_marking_refs':['marking-definition-"            \
    "-" TEST_OTHER "'],'granular_markings':[{'marking_ref':'marking-definition--" TEST_OTHER       \
    "','selectors':['id']}]"
#define TO(type) "'" type "--" TEST_OTHER "'"

static const char *const good_objects[] = {
    TEST_SDO("attack-pattern",
             "," SHARED ",'name':'a','description':'b','aliases':['c']," KILL_CHAIN),
    TEST_SDO("campaign", ",'name':'a','description':'','aliases':['c'],'objective':'o'," SEEN),
    TEST_SDO("course-of-action", ",'name':'a','description':'b'"),
    TEST_SDO("grouping", ",'name':'a','description':'b','context':'suspicious-activity',"
                         "'object_refs':[" TO("x-new") "," TO("relationship") "]"),
    TEST_SDO("identity", ",'name':'a','description':'b','roles':['r'],'identity_class':"
                         "'organization','sectors':['energy','dams'],'contact_information':'c'"),
    TEST_SDO("incident", ",'name':'a','description':'b'"),
    TEST_SDO("indicator",
             ",'name':'a','description':'b','indicator_types':['benign'],'pattern':'[a:b = 1]',"
             "'pattern_type':'stix','pattern_version':'2.1','valid_from':'2025-01-01T00:00:00Z',"
             "'valid_until':'2025-01-01T00:00:00.000001Z'," KILL_CHAIN),
    TEST_SDO("infrastructure", ",'name':'a','description':'b','infrastructure_types':['botnet'],"
                               "'aliases':['c']," KILL_CHAIN "," SEEN),
    TEST_SDO("intrusion-set", ",'name':'a','description':'b','aliases':['c'],'goals':['g'],"
                              "'resource_level':'club','primary_motivation':'revenge',"
                              "'secondary_motivations':['ideology']," SEEN),
    TEST_SDO("location", ",'name':'a','description':'b','latitude':-90,'longitude':180.0,"
                         "'precision':0.5,'region':'south-eastern-asia','country':'th',"
                         "'administrative_area':'Tak','city':'c','street_address':'s',"
                         "'postal_code':'63170'"),
    TEST_SDO("location", ",'region':'asia'"),
    TEST_SDO("location", ",'latitude':1,'longitude':2"),
    TEST_SDO("malware",
             ",'name':'a','description':'b','malware_types':['bot'],'is_family':true,"
             "'aliases':['c'],'operating_system_refs':[" TO(
                 "software") "],"
                             "'architecture_execution_envs':['x86'],'implementation_languages':"
                             "['c++','c#'],"
                             "'capabilities':['evades-av'],'sample_refs':[" TO("file") "," TO(
                                 "artifact") "]," KILL_CHAIN "," SEEN),
    TEST_SDO("malware", ",'is_family':false"),
    TEST_SDO(
        "malware-analysis",
        ",'product':'p','version':'1','host_vm_ref':" TO("software") ",'operating_system_ref':" TO(
            "software") ",'installed_software_refs':"
                        "[" TO("software") "],"
                                           "'configur"
                                           "ation_"
                                           "version':"
                                           "'1','"
                                           "modules':"
                                           "['m'],'"
                                           "analysis_"
                                           "engine_"
                                           "version':"
                                           "'1',"
                                           "'analysis"
                                           "_definiti"
                                           "on_"
                                           "version':"
                                           "'1','"
                                           "submitted"
                                           "':'2025-"
                                           "01-01T00:"
                                           "00:00Z',"
                                           "'analysis"
                                           "_started'"
                                           ":'2025-"
                                           "01-01T00:"
                                           "00:00Z','"
                                           "analysis_"
                                           "ended':'"
                                           "2025-01-"
                                           "01T00:00:"
                                           "00Z',"
                                           "'result_"
                                           "name':'r'"
                                           ",'result'"
                                           ":'benign'"
                                           ",'"
                                           "analysis_"
                                           "sco_refs'"
                                           ":[" TO("u"
                                                   "r"
                                                   "l") "],'"
                                                        "sam"
                                                        "ple"
                                                        "_re"
                                                        "f'"
                                                        ":" TO("netwo"
                                                               "rk-"
                                                               "traff"
                                                               "ic")),
    TEST_SDO("note",
             ",'abstract':'a','content':'c','authors':['x'],'object_refs':[" TO("note") "]"),
    TEST_SDO("observed-data",
             ",'first_observed':'2025-01-01T00:00:00Z','last_observed':'2025-01-01T00:00:00Z',"
             "'number_observed':999999999,'object_refs':[" TO("relationship") "," TO("url") "]"),
    TEST_SDO("observed-data",
             ",'first_observed':'2025-01-01T00:00:00Z','last_observed':'2025-01-01T00:00:00Z',"
             "'number_observed':1,'objects':{'0':{'type':'ipv4-addr','value':'198.51.100.3'},"
             "'1':{'type':'network-traffic','protocols':['tcp'],'src_ref':'0'}}"),
    TEST_SDO("opinion", ",'explanation':'a','authors':['x'],'opinion':'strongly-disagree',"
                        "'object_refs':[" TO("sighting") "]"),
    TEST_SDO("report", ",'name':'a','description':'b','report_types':['malware'],'published':"
                       "'2025-01-01T00:00:00.123456789123Z','object_refs':[" TO("bundle-like") "]"),
    TEST_SDO("threat-actor",
             ",'name':'a','description':'b','threat_actor_types':['spy'],'aliases':['c'],"
             "'roles':['agent'],'goals':['g'],'sophistication':'none','resource_level':'team',"
             "'primary_motivation':'revenge','secondary_motivations':['ideology'],"
             "'personal_motivations':['coercion']," SEEN),
    TEST_SDO("tool", ",'name':'a','description':'b','tool_types':['unknown'],'aliases':['c'],"
                     "'tool_version':'1'," KILL_CHAIN),
    TEST_SDO("vulnerability", ",'name':'CVE-2026-1234','description':'b','external_references':"
                              "[{'source_name':'cve','external_id':'CVE-2026-1234'}]"),
    TEST_SDO("relationship",
             ",'relationship_type':'indicates','description':'b','source_ref':" TO(
                 "indicator") ",'target_ref':" TO("malware") ",'start_time':'2025-01-01T00:00:00Z',"
                                                             "'stop_time':'2025-01-02T00:00:00Z'"),
    TEST_SDO(
        "sighting",
        ",'description':'b','count':0,'sighting_of_ref':" TO(
            "indicator") ",'observed_data_refs':[" TO("observed-data") "],'where_sighted_refs':"
                                                                       "[" TO("identity") "," TO(
                                                                           "location") "],'"
                                                                                       "summary"
                                                                                       "':"
                                                                                       "false"
                                                                                       "," SEEN),
    TEST_SDO("language-content",
             ",'object_ref':" TO("campaign") ",'object_modified':'2025-01-01T00:00:00.000Z',"
                                             "'contents':{'de':{'name':'x','aliases':['','y']},"
                                             "'zh-Hant':{'name':'z'}}"),
    TEST_SDO("extension-definition",
             ",'created_by_ref':" TO("identity") ",'name':'a','description':'b','schema':'s',"
                                                 "'version':'1.0.0','extension_types':['new-"
                                                 "sdo','toplevel-property-extension'],"
                                                 "'extension_properties':['rank']"),
    "{'type':'marking-definition','id':'marking-definition--" TEST_UUID "','spec_version':'2.1',"
    "'created':'2025-01-01T00:00:00.000Z','definition_type':'statement','name':'n',"
    "'definition':{'statement':'Copyright'},'created_by_ref':" TO("identity") "}",
    "{'type':'marking-definition','id':'marking-definition--" TEST_UUID "','spec_version':'2.1',"
    "'created':'2025-01-01T00:00:00.000Z','extensions':{'extension-definition--" TEST_OTHER
    "':{'extension_type':'property-extension','level':3}}}",
    "{'type':'bundle','id':'bundle--" TEST_UUID "','objects':[{}]}",
    "{'type':'bundle','id':'bundle--" TEST_UUID "'}",

    TEST_SCO("artifact", SCO_SHARED ",'mime_type':'image/jpeg','payload_bin':'aGVsbG8='"),
    TEST_SCO("artifact", ",'url':'https://example.org/a','hashes':{'SHA-256':"
                         "'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'},"
                         "'encryption_algorithm':'AES-256-GCM','decryption_key':'k'"),
    TEST_SCO("autonomous-system", ",'number':64496,'name':'n','rir':'APNIC'"),
    TEST_SCO("directory", ",'path':'C:\\\\a','path_enc':'cp874','ctime':'2025-01-01T00:00:00Z',"
                          "'mtime':'2025-01-01T00:00:00Z','atime':'2025-01-01T00:00:00Z',"
                          "'contains_refs':[" TO("file") "," TO("directory") "]"),
    TEST_SCO("domain-name", ",'value':'example.com','resolves_to_refs':[" TO("ipv4-addr") "," TO(
                                "ipv6-addr") "," TO("domain-name") "]"),
    TEST_SCO("email-addr", ",'value':'john@example.com','display_name':'John',"
                           "'belongs_to_ref':" TO("user-account")),
    TEST_SCO(
        "email-message",
        ",'is_multipart':true,'date':'2025-01-01T00:00:00Z','content_type':'multipart/mixed',"
        "'from_ref':" TO("email-addr") ",'sender_ref':" TO("email-addr") ",'to_refs':[" TO(
            "ema"
            "il-"
            "add"
            "r") "],'cc_refs':[" TO("email-addr") "],'bcc_refs':[" TO("email-addr") "],'"
                                                                                    "message_"
                                                                                    "id':'m','"
                                                                                    "subject':'"
                                                                                    "s','"
                                                                                    "received_"
                                                                                    "lines':['"
                                                                                    "r'],'"
                                                                                    "additional"
                                                                                    "_"
                                                                                    "header_"
                                                                                    "fields':"
                                                                                    "{'Reply-"
                                                                                    "To':['a','"
                                                                                    "b']},'"
                                                                                    "body_"
                                                                                    "multipart'"
                                                                                    ":[{'"
                                                                                    "content_"
                                                                                    "type':'"
                                                                                    "text/"
                                                                                    "plain',"
                                                                                    "'content_"
                                                                                    "dispositio"
                                                                                    "n':'"
                                                                                    "inline','"
                                                                                    "body':'b'}"
                                                                                    ",{'body_"
                                                                                    "raw_ref'"
                                                                                    ":" TO(
                                                                                        "file") "}]"
                                                                                                ","
                                                                                                "'r"
                                                                                                "aw"
                                                                                                "_e"
                                                                                                "ma"
                                                                                                "il"
                                                                                                "_r"
                                                                                                "ef"
                                                                                                "'"
                                                                                                ":" TO(
                                                                                                    "artifact")),
    TEST_SCO("email-message", ",'is_multipart':false,'body':'b'"),
    TEST_SCO(
        "file",
        ",'hashes':{'MD5':'d41d8cd98f00b204e9800998ecf8427e','SHA-1':"
        "'da39a3ee5e6b4b0d3255bfef95601890afd80709','SSDEEP':'3:AXGBicFlgVNhBGcL6wCrFQEv:a',"
        "'TLSH':'6FF02BEF718027B0160B4391212923ED7F1A463D563B1549B86CF62973B197AD2731F8'},"
        "'size':0,'name':'hóa_đơn.pdf','name_enc':'windows-1258','magic_number_hex':'504b0304',"
        "'mime_type':'application/pdf','ctime':'2025-01-01T00:00:00Z',"
        "'mtime':'2025-01-01T00:00:00Z','atime':'2025-01-01T00:00:00Z',"
        "'parent_directory_ref':" TO("directory") ",'contains_refs':[" TO(
            "url") "],'content_ref':" TO("artifact") ",'extensions':{"
                                                     "'archive-ext':{'contains_refs':[" TO(
                                                         "file") "],'comment':'c'},"
                                                                 "'ntfs-ext':{'sid':'1','"
                                                                 "alternate_data_streams':[{'"
                                                                 "name':'n','size':1,'hashes':{"
                                                                 "'MD5':"
                                                                 "'d41d8cd98f00b204e9800998ecf8"
                                                                 "427e'}}]},"
                                                                 "'pdf-ext':{'version':'1.7','"
                                                                 "is_optimized':true,'document_"
                                                                 "info_dict':{'Title':'t'},"
                                                                 "'pdfid0':'a','pdfid1':'b'},"
                                                                 "'raster-image-ext':{'image_"
                                                                 "height':1,'image_width':2,'"
                                                                 "bits_per_pixel':3,"
                                                                 "'exif_tags':{'Make':'Nikon','"
                                                                 "XResolution':4928}},"
                                                                 "'windows-pebinary-ext':{'pe_"
                                                                 "type':'exe','imphash':'i','"
                                                                 "machine_hex':'014c',"
                                                                 "'number_of_sections':4,'time_"
                                                                 "date_stamp':'2016-01-22T12:"
                                                                 "31:12Z',"
                                                                 "'pointer_to_symbol_table_hex'"
                                                                 ":'74726144','number_of_"
                                                                 "symbols':1,"
                                                                 "'size_of_optional_header':"
                                                                 "224,'characteristics_hex':'"
                                                                 "818f',"
                                                                 "'file_header_hashes':{'MD5':'"
                                                                 "d41d8cd98f00b204e9800998ecf84"
                                                                 "27e'},"
                                                                 "'optional_header':{'magic_"
                                                                 "hex':'010b','major_linker_"
                                                                 "version':2,'size_of_code':"
                                                                 "512},"
                                                                 "'sections':[{'name':'CODE','"
                                                                 "size':1,'entropy':0.061089}]}"
                                                                 "}"),
    TEST_SCO("ipv4-addr", ",'value':'198.51.100.0/24','resolves_to_refs':[" TO(
                              "mac-addr") "],'belongs_to_refs':[" TO("autonomous-system") "]"),
    TEST_SCO("ipv6-addr", ",'value':'2001:0db8::/96'"),
    TEST_SCO("mac-addr", ",'value':'d2:fb:49:24:37:18'"),
    TEST_SCO("mutex", ",'name':'__CLEANSWEEP__'"),
    TEST_SCO(
        "network-traffic",
        ",'start':'2025-01-01T00:00:00Z','end':'2025-01-01T00:00:00Z','is_active':false,"
        "'src_ref':" TO("ipv4-addr") ",'dst_ref':" TO(
            "domain-name") ",'src_port':0,"
                           "'dst_port':65535,'protocols':['ipv4','tcp'],'src_byte_count':"
                           "1,'dst_byte_count':2,"
                           "'src_packets':3,'dst_packets':4,'ipfix':{'a':1,'b':'c'},'src_"
                           "payload_ref':" TO("artifact") ",'dst_payload_ref':" TO(
                               "artifa"
                               "ct") ",'encapsulates_refs':[" TO("network-traffic") "],'"
                                                                                    "encapsulat"
                                                                                    "ed_by_ref'"
                                                                                    ":" TO(
                                                                                        "net"
                                                                                        "wor"
                                                                                        "k-"
                                                                                        "tra"
                                                                                        "ffi"
                                                                                        "c") ",'"
                                                                                             "exten"
                                                                                             "sions"
                                                                                             "':{"
                                                                                             "'http"
                                                                                             "-requ"
                                                                                             "est-"
                                                                                             "ext':"
                                                                                             "{'"
                                                                                             "reque"
                                                                                             "st_"
                                                                                             "metho"
                                                                                             "d':'"
                                                                                             "get',"
                                                                                             "'requ"
                                                                                             "est_"
                                                                                             "value"
                                                                                             "':'/"
                                                                                             "','"
                                                                                             "reque"
                                                                                             "st_"
                                                                                             "versi"
                                                                                             "on':"
                                                                                             "'http"
                                                                                             "/"
                                                                                             "1.1',"
                                                                                             "'requ"
                                                                                             "est_"
                                                                                             "heade"
                                                                                             "r':{'"
                                                                                             "Host'"
                                                                                             ":['a'"
                                                                                             "]},'"
                                                                                             "messa"
                                                                                             "ge_"
                                                                                             "body_"
                                                                                             "lengt"
                                                                                             "h':0,"
                                                                                             "'mess"
                                                                                             "age_"
                                                                                             "body_"
                                                                                             "data_"
                                                                                             "ref'"
                                                                                             ":" TO(
                                                                                                 "a"
                                                                                                 "r"
                                                                                                 "t"
                                                                                                 "i"
                                                                                                 "f"
                                                                                                 "a"
                                                                                                 "c"
                                                                                                 "t") "},"
                                                                                                      "'icmp-ext':{'icmp_type_"
                                                                                                      "hex':'08','icmp_code_"
                                                                                                      "hex':'00'},"
                                                                                                      "'socket-ext':{'address_"
                                                                                                      "family':'AF_INET','is_"
                                                                                                      "blocking':true,'is_"
                                                                                                      "listening':true,"
                                                                                                      "'options':{'SO_LINGER':"
                                                                                                      "1},'socket_type':'SOCK_"
                                                                                                      "DGRAM','socket_"
                                                                                                      "descriptor':1,"
                                                                                                      "'socket_handle':2},"
                                                                                                      "'tcp-ext':{'src_flags_"
                                                                                                      "hex':'00','dst_flags_"
                                                                                                      "hex':'02'}}"),
    TEST_SCO(
        "process",
        ",'is_hidden':true,'pid':1,'created_time':'2025-01-01T00:00:00Z','cwd':'c',"
        "'command_line':'x','environment_variables':{'A_b-1':'v'},'opened_connection_refs':"
        "[" TO("network-traffic") "],'creator_user_ref':" TO("user-account") ",'image_ref':" TO(
            "file") ",'parent_ref':" TO("process") ",'child_refs':[" TO("process") "],"
                                                                                   "'extensions':{'"
                                                                                   "windows-"
                                                                                   "process-ext':{'"
                                                                                   "aslr_enabled':"
                                                                                   "true,'dep_"
                                                                                   "enabled':true,"
                                                                                   "'priority':'"
                                                                                   "HIGH_PRIORITY_"
                                                                                   "CLASS','"
                                                                                   "owner_sid':'s',"
                                                                                   "'window_title':"
                                                                                   "'w','"
                                                                                   "startup_info':"
                                                                                   "{'lpDesktop':'"
                                                                                   "d','cb':3},'"
                                                                                   "integrity_"
                                                                                   "level':'low'},'"
                                                                                   "windows-"
                                                                                   "service-ext':{"
                                                                                   "'service_name':"
                                                                                   "'s','"
                                                                                   "descriptions':["
                                                                                   "'d']"
                                                                                   ",'display_name'"
                                                                                   ":'n','group_"
                                                                                   "name':'g',"
                                                                                   "'start_type':'"
                                                                                   "SERVICE_AUTO_"
                                                                                   "START','"
                                                                                   "service_dll_"
                                                                                   "refs':[" TO(
                                                                                       "file") "],'"
                                                                                               "ser"
                                                                                               "vic"
                                                                                               "e_"
                                                                                               "typ"
                                                                                               "e':"
                                                                                               "'SE"
                                                                                               "RVI"
                                                                                               "CE_"
                                                                                               "KER"
                                                                                               "NEL"
                                                                                               "_DR"
                                                                                               "IVE"
                                                                                               "R',"
                                                                                               "'"
                                                                                               "ser"
                                                                                               "vic"
                                                                                               "e_"
                                                                                               "sta"
                                                                                               "tus"
                                                                                               "':'"
                                                                                               "SER"
                                                                                               "VIC"
                                                                                               "E_"
                                                                                               "RUN"
                                                                                               "NIN"
                                                                                               "G'}"
                                                                                               "}"),
    TEST_SCO("process", ",'extensions':{'windows-process-ext':{'aslr_enabled':true}}"),
    TEST_SCO("software", ",'name':'Word','cpe':'cpe:2.3:a:microsoft:word:2000:*:*:*:*:*:*:*',"
                         "'swid':'s','languages':['en','th-TH'],'vendor':'v','version':'1'"),
    TEST_SCO("url", ",'value':'https://example.com/research/index.html'"),
    TEST_SCO("user-account",
             ",'user_id':'1001','credential':'c','account_login':'l','account_type':'unix',"
             "'display_name':'d','is_service_account':false,'is_privileged':false,"
             "'can_escalate_privs':true,'is_disabled':false,'account_created':"
             "'2025-01-01T00:00:00Z','account_expires':'2025-01-01T00:00:00Z',"
             "'credential_last_changed':'2025-01-01T00:00:00Z','account_first_login':"
             "'2025-01-01T00:00:00Z','account_last_login':'2025-01-01T00:00:00Z','extensions':"
             "{'unix-account-ext':{'gid':1,'groups':['wheel'],'home_dir':'/h','shell':'/bin/sh'}}"),
    TEST_SCO("windows-registry-key",
             ",'key':'HKEY_LOCAL_MACHINE\\\\a','values':[{'name':'','data':'d','data_type':"
             "'REG_SZ'}],'modified_time':'2025-01-01T00:00:00Z','creator_user_ref':" TO(
                 "user-account") ",'number_of_subkeys':1"),
    TEST_SCO("x509-certificate",
             ",'is_self_signed':true,'hashes':{'SHA3-256':"
             "'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'},'version':'3',"
             "'serial_number':'36:f7','signature_algorithm':'s','issuer':'i','validity_not_before':"
             "'2025-01-01T00:00:00Z','validity_not_after':'2025-01-01T00:00:00Z','subject':'s',"
             "'subject_public_key_algorithm':'a','subject_public_key_modulus':'m',"
             "'subject_public_key_exponent':65537,'x509_v3_extensions':{'basic_constraints':'b',"
             "'private_key_usage_period_not_before':'2025-01-01T00:00:00Z'}"),

    /* New types by extension; the last is an SCO, which has no dates. */
    TEST_SDO("my-sdo", ",'rank':1,'extensions':{'extension-definition--" TEST_OTHER
                       "':{'extension_type':'new-sdo'}}"),
    TEST_SDO("my-sro", ",'rank':1,'extensions':{'extension-definition--" TEST_OTHER
                       "':{'extension_type':'new-sro'}}"),
    TEST_SCO("my-sco", ",'rank':1,'extensions':{'extension-definition--" TEST_OTHER
                       "':{'extension_type':'new-sco'}}"),
    /* Properties on top, by extension. */
    TEST_SDO("indicator", ",'name':'a','pattern':'p','pattern_type':'yara','valid_from':"
                          "'2025-01-01T00:00:00Z','rank':1,'toxicity':{'a':['b']},'extensions':"
                          "{'extension-definition--" TEST_OTHER
                          "':{'extension_type':'toplevel-property-extension'}}"),
};
#define GOOD_COUNT (sizeof(good_objects) / sizeof(good_objects[0]))

#endif
