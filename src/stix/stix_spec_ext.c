/* stix/stix_spec_ext.c - the predefined extensions of cyber-observable objects. */
#include "stix_rules.h"
#include "stix_spec.h"
#include "stix_table.h"

static const struct stix_range not_negative = {0, STIX_INT_MAX};
static const struct stix_range entropy = {0, 8};

static const struct stix_prop props_archive_ext[] = {
    STR("comment", OPT),
    REF("contains_refs", REQ | LIST, STIX_BIT(STIX_FILE) | STIX_BIT(STIX_DIRECTORY)),
};
static const struct stix_shape archive_ext = {
    .clause = "STIX 2.1 section 6.7.2",
    .props = props_archive_ext,
    .count = COUNT(props_archive_ext),
};

static const struct stix_prop props_alternate_data_stream[] = {
    HASHES("hashes", OPT),
    STR("name", REQ),
    INT("size", OPT, &not_negative),
};
static const struct stix_shape alternate_data_stream = {
    .clause = "STIX 2.1 section 6.7.3.2",
    .props = props_alternate_data_stream,
    .count = COUNT(props_alternate_data_stream),
};

static const struct stix_prop props_ntfs_ext[] = {
    SHAPE("alternate_data_streams", LIST, &alternate_data_stream),
    STR("sid", OPT),
};
static const struct stix_shape ntfs_ext = {
    .clause = "STIX 2.1 section 6.7.3",
    .props = props_ntfs_ext,
    .count = COUNT(props_ntfs_ext),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_pdf_ext[] = {
    DICT("document_info_dict", OPT, STIX_DICT_STRING),
    BOOL("is_optimized", OPT),
    STR("pdfid0", OPT),
    STR("pdfid1", OPT),
    STR("version", OPT),
};
static const struct stix_shape pdf_ext = {
    .clause = "STIX 2.1 section 6.7.4",
    .props = props_pdf_ext,
    .count = COUNT(props_pdf_ext),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_raster_image_ext[] = {
    INT("bits_per_pixel", OPT, NULL),
    DICT("exif_tags", OPT, STIX_DICT_INT_OR_STRING),
    INT("image_height", OPT, NULL),
    INT("image_width", OPT, NULL),
};
static const struct stix_shape raster_image_ext = {
    .clause = "STIX 2.1 section 6.7.5",
    .props = props_raster_image_ext,
    .count = COUNT(props_raster_image_ext),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_pe_optional_header[] = {
    INT("address_of_entry_point", OPT, NULL),
    INT("base_of_code", OPT, NULL),
    INT("base_of_data", OPT, NULL),
    HEX("checksum_hex", OPT),
    HEX("dll_characteristics_hex", OPT),
    INT("file_alignment", OPT, NULL),
    HASHES("hashes", OPT),
    INT("image_base", OPT, NULL),
    HEX("loader_flags_hex", OPT),
    HEX("magic_hex", OPT),
    INT("major_image_version", OPT, NULL),
    INT("major_linker_version", OPT, NULL),
    INT("major_os_version", OPT, NULL),
    INT("major_subsystem_version", OPT, NULL),
    INT("minor_image_version", OPT, NULL),
    INT("minor_linker_version", OPT, NULL),
    INT("minor_os_version", OPT, NULL),
    INT("minor_subsystem_version", OPT, NULL),
    INT("number_of_rva_and_sizes", OPT, NULL),
    INT("section_alignment", OPT, NULL),
    INT("size_of_code", OPT, &not_negative),
    INT("size_of_headers", OPT, &not_negative),
    INT("size_of_heap_commit", OPT, &not_negative),
    INT("size_of_heap_reserve", OPT, &not_negative),
    INT("size_of_image", OPT, &not_negative),
    INT("size_of_initialized_data", OPT, &not_negative),
    INT("size_of_stack_commit", OPT, &not_negative),
    INT("size_of_stack_reserve", OPT, &not_negative),
    INT("size_of_uninitialized_data", OPT, &not_negative),
    HEX("subsystem_hex", OPT),
    HEX("win32_version_value_hex", OPT),
};
static const struct stix_shape pe_optional_header = {
    .clause = "STIX 2.1 section 6.7.6.2",
    .props = props_pe_optional_header,
    .count = COUNT(props_pe_optional_header),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_pe_section[] = {
    NUM("entropy", OPT, &entropy),
    HASHES("hashes", OPT),
    STR("name", REQ),
    INT("size", OPT, &not_negative),
};
static const struct stix_shape pe_section = {
    .clause = "STIX 2.1 section 6.7.6.3",
    .props = props_pe_section,
    .count = COUNT(props_pe_section),
};

static const struct stix_prop props_windows_pebinary_ext[] = {
    HEX("characteristics_hex", OPT),
    HASHES("file_header_hashes", OPT),
    STR("imphash", OPT),
    HEX("machine_hex", OPT),
    INT("number_of_sections", OPT, &not_negative),
    INT("number_of_symbols", OPT, &not_negative),
    SHAPE("optional_header", OPT, &pe_optional_header),
    WORD("pe_type", REQ, &stix_windows_pebinary_type_ov),
    HEX("pointer_to_symbol_table_hex", OPT),
    SHAPE("sections", LIST, &pe_section),
    INT("size_of_optional_header", OPT, &not_negative),
    TIME("time_date_stamp", OPT),
};
static const struct stix_shape windows_pebinary_ext = {
    .clause = "STIX 2.1 section 6.7.6",
    .props = props_windows_pebinary_ext,
    .count = COUNT(props_windows_pebinary_ext),
    .need = STIX_NEED_OTHER,
};

static const struct stix_prop props_http_request_ext[] = {
    REF("message_body_data_ref", OPT, STIX_BIT(STIX_ARTIFACT)),
    INT("message_body_length", OPT, &not_negative),
    DICT("request_header", OPT, STIX_DICT_STRINGS),
    SYNTAX("request_method", REQ, &stix_syntax_lowercase_only),
    STR("request_value", REQ),
    SYNTAX("request_version", OPT, &stix_syntax_lowercase_only),
};
static const struct stix_shape http_request_ext = {
    .clause = "STIX 2.1 section 6.12.2",
    .props = props_http_request_ext,
    .count = COUNT(props_http_request_ext),
};

static const struct stix_prop props_icmp_ext[] = {
    HEX("icmp_code_hex", REQ),
    HEX("icmp_type_hex", REQ),
};
static const struct stix_shape icmp_ext = {
    .clause = "STIX 2.1 section 6.12.3",
    .props = props_icmp_ext,
    .count = COUNT(props_icmp_ext),
};

static const struct stix_prop props_socket_ext[] = {
    WORD("address_family", REQ, &stix_network_socket_address_family_enum),
    BOOL("is_blocking", OPT),
    BOOL("is_listening", OPT),
    DICT("options", OPT, STIX_DICT_INT),
    INT("socket_descriptor", OPT, &not_negative),
    INT("socket_handle", OPT, NULL),
    WORD("socket_type", OPT, &stix_network_socket_type_enum),
};
static const struct stix_shape socket_ext = {
    .clause = "STIX 2.1 section 6.12.4",
    .props = props_socket_ext,
    .count = COUNT(props_socket_ext),
};

static const struct stix_prop props_tcp_ext[] = {
    HEX("dst_flags_hex", OPT),
    HEX("src_flags_hex", OPT),
};
static const struct stix_shape tcp_ext = {
    .clause = "STIX 2.1 section 6.12.5",
    .props = props_tcp_ext,
    .count = COUNT(props_tcp_ext),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_windows_process_ext[] = {
    BOOL("aslr_enabled", OPT),
    BOOL("dep_enabled", OPT),
    WORD("integrity_level", OPT, &stix_windows_integrity_level_enum),
    STR("owner_sid", OPT),
    STR("priority", OPT),
    DICT("startup_info", OPT, STIX_DICT_ANY),
    STR("window_title", OPT),
    STR("windows_title", OPT),
};
static const struct stix_shape windows_process_ext = {
    .clause = "STIX 2.1 section 6.13.2",
    .props = props_windows_process_ext,
    .count = COUNT(props_windows_process_ext),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_windows_service_ext[] = {
    STR("descriptions", LIST),
    STR("display_name", OPT),
    STR("group_name", OPT),
    REF("service_dll_refs", LIST, STIX_BIT(STIX_FILE)),
    STR("service_name", OPT),
    WORD("service_status", OPT, &stix_windows_service_status_enum),
    WORD("service_type", OPT, &stix_windows_service_type_enum),
    WORD("start_type", OPT, &stix_windows_service_start_type_enum),
};
static const struct stix_shape windows_service_ext = {
    .clause = "STIX 2.1 section 6.13.3",
    .props = props_windows_service_ext,
    .count = COUNT(props_windows_service_ext),
    .need = STIX_NEED_ANY,
};

static const struct stix_prop props_unix_account_ext[] = {
    INT("gid", OPT, NULL),
    STR("groups", LIST),
    STR("home_dir", OPT),
    STR("shell", OPT),
};
static const struct stix_shape unix_account_ext = {
    .clause = "STIX 2.1 section 6.16.2",
    .props = props_unix_account_ext,
    .count = COUNT(props_unix_account_ext),
    .need = STIX_NEED_ANY,
};

const struct stix_ext stix_exts_file[] = {{"archive-ext", &archive_ext},
                                          {"ntfs-ext", &ntfs_ext},
                                          {"pdf-ext", &pdf_ext},
                                          {"raster-image-ext", &raster_image_ext},
                                          {"windows-pebinary-ext", &windows_pebinary_ext},
                                          {NULL, NULL}};
const struct stix_ext stix_exts_network_traffic[] = {{"http-request-ext", &http_request_ext},
                                                     {"icmp-ext", &icmp_ext},
                                                     {"socket-ext", &socket_ext},
                                                     {"tcp-ext", &tcp_ext},
                                                     {NULL, NULL}};
const struct stix_ext stix_exts_process[] = {{"windows-process-ext", &windows_process_ext},
                                             {"windows-service-ext", &windows_service_ext},
                                             {NULL, NULL}};
const struct stix_ext stix_exts_user_account[] = {{"unix-account-ext", &unix_account_ext},
                                                  {NULL, NULL}};
