// Values of fixed spelling: digests, UUIDs, numbers, dates, hardware addresses and the like.
#include "storage/import/plain_value.h"

#include <string>

#include "storage/import/value_normaliser.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

// The normal form, or "refused".
std::string Normal(absl::string_view type, absl::string_view value) {
  return NormaliseValue(type, value).value_or("refused");
}

TEST_CASE("a digest has exactly its digits") {
  const struct {
    const char* type;
    size_t digits;
  } kDigests[] = {{"md5", 32},        {"md5", 16},        {"sha1", 40},           {"sha224", 56},
                  {"sha3-224", 56},   {"sha512-224", 56}, {"sha256", 64},         {"sha3-256", 64},
                  {"sha512-256", 64}, {"payload", 64},    {"sha384", 96},         {"sha3-384", 96},
                  {"sha512", 128},    {"sha3-512", 128},  {"ja3-fingerprint", 32}};
  for (const auto& digest : kDigests) {
    CAPTURE(digest.type, digest.digits);
    const std::string upper(digest.digits, 'A');
    CHECK(Normal(digest.type, upper) == std::string(digest.digits, 'a'));
    CHECK(Normal(digest.type, upper + "A") == "refused");
    CHECK(Normal(digest.type, upper.substr(1)) == "refused");
    CHECK(Normal(digest.type, upper.substr(1) + "g") == "refused");
  }
}

TEST_CASE("fingerprints drop their colons, hexadecimal values have none") {
  CHECK(Normal("jarm-fingerprint", "2A:d2") == "2ad2");
  CHECK(Normal("cdhash", "abc") == "abc");
  CHECK(Normal("authentihash", "::") == "refused");
  CHECK(Normal("certificate-fingerprint", "5E FF") == "refused");
  CHECK(Normal("hex", "ABC") == "refused");
  CHECK(Normal("hex", "AB:CD") == "refused");
}

TEST_CASE("a UUID has four spellings and one form") {
  const std::string form = "3a7c9d8e-1b2f-4a5b-8c7d-8d9e0a1b2c3d";
  CHECK(Normal("report", "3A7C9D8E-1B2F-4A5B-8C7D-8D9E0A1B2C3D") == form);
  CHECK(Normal("report", "URN:UUID:" + form) == form);
  CHECK(Normal("report", "{" + form + "}") == form);
  CHECK(Normal("report", "3a7c9d8e1b2f4a5b8c7d8d9e0a1b2c3d") == form);
  CHECK(Normal("report", "(" + form + ")") == "refused");
  CHECK(Normal("report", form + "0") == "refused");
  CHECK(Normal("report", "3a7c9d8e-1b2f-4a5b-8c7d8d9e-0a1b2c3d") == "refused");
  CHECK(Normal("report", "urn:uuid:3a7c9d8e1b2f4a5b8c7d8d9e0a1b2c3d") == "refused");
  CHECK(Normal("file", form) == form);
  CHECK(Normal("file", "abc") == "refused");
}

TEST_CASE("an integer is decimal and has 64 bits") {
  CHECK(Normal("cc-number", "9223372036854775807") == "9223372036854775807");
  CHECK(Normal("cc-number", "9223372036854775808") == "refused");
  CHECK(Normal("cc-number", "-9223372036854775808") == "-9223372036854775808");
  CHECK(Normal("bin", "007") == "7");
  CHECK(Normal("bin", "+7") == "7");
  for (const char* refused :
       {"", "-", "1.0", "1e3", " 1", "1 ", "0x10", "\xD9\xA1", "AS1", "--1"}) {
    CAPTURE(refused);
    CHECK(Normal("bin", refused) == "refused");
  }
}

TEST_CASE("an asn may be written with AS and blanks") {
  CHECK(Normal("asn", "as 15169") == "15169");
  CHECK(Normal("asn", " 15169 ") == "15169");
  CHECK(Normal("asn", "AS4294967295") == "4294967295");
  CHECK(Normal("asn", "AS4294967296") == "refused");
  CHECK(Normal("asn", "AS-1") == "refused");
  CHECK(Normal("asn", "AS") == "refused");
  CHECK(Normal("asn", "AS1 AS2") == "refused");
}

TEST_CASE("a float has its shortest digits") {
  CHECK(Normal("latitude", "37.40560") == "37.4056");
  CHECK(Normal("latitude", "-0.5") == "-0.5");
  CHECK(Normal("latitude", "1048576") == "1.048576e+06");
  CHECK(Normal("latitude", "123456") == "123456");
  CHECK(Normal("latitude", "0.00001") == "1e-05");
  CHECK(Normal("latitude", "0.0001") == "0.0001");
  CHECK(Normal("latitude", "1e-400") == "0");
  CHECK(Normal("latitude", "5e-324") == "5e-324");
  CHECK(Normal("latitude", "1.7976931348623157e308") == "1.7976931348623157e+308");
  for (const char* refused :
       {"1e309", "nan", "inf", "0x1p3", "1,5", ".", "1e", " 1", "--1", "true"}) {
    CAPTURE(refused);
    CHECK(Normal("latitude", refused) == "refused");
  }
}

TEST_CASE("a JSON number has the text that its type reads") {
  CHECK(NumberText(4111111111111111) == "4111111111111111");
  CHECK(NumberText(-1000000) == "-1000000");
  CHECK(NumberText(9007199254740992) == "9007199254740992");
  // Beyond, a double stands for several integers: no integer is made of it.
  CHECK(NumberText(9007199254740994) == "9.007199254740994e+15");
  CHECK(NumberText(0.1) == "0.1");
  CHECK(NumberText(-0.0) == "-0");
  CHECK(FloatText(0) == "0");
  CHECK(FloatText(1e21) == "1e+21");
  CHECK(FloatText(-123456.5) == "-123456.5");
}

TEST_CASE("base64 is padded and of the standard alphabet") {
  CHECK(Normal("base64", "+/8=") == "+/8=");
  for (const char* refused :
       {"-_8=", "+/8", "+/8 ", "+/8.", "====", "A===", "+/8=+/8=", "SGVs\n"}) {
    CAPTURE(refused);
    CHECK(Normal("base64", refused) == "refused");
  }
}

TEST_CASE("a date is a day of the calendar") {
  CHECK(Normal("date", "2024-02-29") == "2024-02-29");
  for (const char* refused : {"2023-02-29", "2023-13-01", "2023-00-01", "2023-01-00", "2023-01-32",
                              "20230115", "2023/01/15", "2023-01-15T"}) {
    CAPTURE(refused);
    CHECK(Normal("date", refused) == "refused");
  }
}

TEST_CASE("an instant keeps its offset and drops trailing zeros") {
  CHECK(Normal("datetime", "2023-05-20T14:30:15.120+02:00") == "2023-05-20T14:30:15.12+02:00");
  CHECK(Normal("datetime", "2023-05-20T14:30:15.123456789Z") == "2023-05-20T14:30:15.123456789Z");
  CHECK(Normal("datetime", "2023-05-20T14:30:15.0010-00:00") == "2023-05-20T14:30:15.001Z");
  CHECK(Normal("last-analysis", "2023-05-20T00:00:00-23:59") == "2023-05-20T00:00:00-23:59");
  for (const char* refused :
       {"2023-05-20T14:30:15.1234567890Z", "2023-05-20T14:30:15.Z", "2023-05-20T14:30:15",
        "2023-05-20T24:00:00Z", "2023-05-20T14:60:00Z", "2023-05-20T14:30:60Z",
        "2023-02-30T14:30:15Z", "2023-05-20t14:30:15z", "2023-05-20T14:30:15+0200",
        "2023-05-20T14:30:15+24:00", "2023-05-20", "2023-05-20T14:30Z", "2023-05-20T14:30:15Zx"}) {
    CAPTURE(refused);
    CHECK(Normal("datetime", refused) == "refused");
  }
}

TEST_CASE("a hardware address has hyphens or colons") {
  CHECK(Normal("mac-address", "00-1a-2b-3c-4d-5e") == "00-1A-2B-3C-4D-5E");
  CHECK(Normal("mac-address", "00:1A:2B:3C:4D:5E") == "00:1a:2b:3c:4d:5e");
  for (const char* refused : {"00:1A-2B:3C:4D:5E", "001A2B3C4D5E", "00:1A:2B:3C:4D",
                              "00:1A:2B:3C:4D:5G", "00:1A:2B:3C:4D:5E:6F"}) {
    CAPTURE(refused);
    CHECK(Normal("mac-address", refused) == "refused");
  }
}

TEST_CASE("media types, phone numbers and ports have their spelling") {
  CHECK(Normal("mime-type", "Application/VND.ms-excel") == "application/vnd.ms-excel");
  CHECK(Normal("mime-type", "video/mp4") == "video/mp4");
  CHECK(Normal("mime-type", "text/js") == "refused");
  CHECK(Normal("mime-type", "text/html; charset=utf-8") == "refused");
  CHECK(Normal("phone", "+1 (222) 333-4444") == "+1 (222) 333-4444");
  CHECK(Normal("phone", "+111 2222 3333") == "+111 2222 3333");
  CHECK(Normal("phone", "+ 11-2222-3333") == "refused");
  CHECK(Normal("phone", "0049123") == "refused");
  CHECK(Normal("phone", "+1 (12 3) 12") == "refused");
  CHECK(Normal("port", "65535/udp") == "65535/udp");
  CHECK(Normal("port", "65536/udp") == "refused");
  CHECK(Normal("port", "1/TCP") == "1/tcp");
  CHECK(Normal("port", "80/sctp") == "refused");
  CHECK(Normal("port", "/tcp") == "refused");
}

}  // namespace
}  // namespace relations
