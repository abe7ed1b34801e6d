#include "gateway/content_coding.h"

#include <zlib.h>
#include <zstd.h>

#include "tests/support/catch.h"

namespace relations::gateway {
namespace {

// "" for none.
std::string Chosen(const std::vector<std::string>& accept_encoding, size_t bytes = 100000) {
  return std::string(CodingName(ChooseCoding(accept_encoding, bytes)));
}

std::string Gunzipped(const std::string& coded, size_t size) {
  std::string body(size, '\0');
  z_stream stream = {};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string input = coded;
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(body.data());
  stream.avail_out = static_cast<uInt>(body.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  CHECK(stream.avail_in == 0);
  body.resize(stream.total_out);
  inflateEnd(&stream);
  return body;
}

TEST_CASE("A coding is used only when it is asked for") {
  CHECK(Chosen({}).empty());
  CHECK(Chosen({""}).empty());
  CHECK(Chosen({"br, deflate"}).empty());
  CHECK(Chosen({"gzip"}) == "gzip");
  CHECK(Chosen({"X-GZIP"}) == "gzip");
  CHECK(Chosen({"zstd"}) == "zstd");
  CHECK(Chosen({"gzip, deflate, br, zstd"}) == "zstd");
  CHECK(Chosen({"gzip", "zstd"}) == "zstd");
  CHECK(Chosen({"*"}) == "gzip");
}

TEST_CASE("The highest weight wins, and 0 refuses") {
  CHECK(Chosen({"gzip;q=1.0, zstd;q=0.9"}) == "gzip");
  CHECK(Chosen({"gzip;q=0.001"}) == "gzip");
  CHECK(Chosen({"gzip ; q=0.5, zstd;Q=0.501"}) == "zstd");
  CHECK(Chosen({"gzip;q=0"}).empty());
  CHECK(Chosen({"gzip;q=0.000, zstd;q=0"}).empty());
  CHECK(Chosen({"identity, gzip;q=0.5"}).empty());
  CHECK(Chosen({"identity;q=0.5, gzip;q=0.5"}) == "gzip");
  CHECK(Chosen({"gzip;q=0, *"}).empty());
  CHECK(Chosen({"*;q=0"}).empty());
  CHECK(Chosen({"*;q=0, zstd;q=0.1"}) == "zstd");
}

TEST_CASE("Malformed elements are passed over") {
  for (const char* line : {"gzip;q=2", "gzip;q=1.001", "gzip;q=0.1234", "gzip;q=", "gzip;q=x",
                           "gzip;q=-1", "gzip;level=1", "g zip", ";q=1", "gzip;q=1;q=1"}) {
    INFO(line);
    CHECK(Chosen({line}).empty());
  }
  CHECK(Chosen({",, gzip;q=9,zstd ,"}) == "zstd");
}

TEST_CASE("Small answers are sent as they are, unless the client refuses that") {
  CHECK(Chosen({"gzip"}, kCodedBytesMin) == "gzip");
  CHECK(Chosen({"gzip"}, kCodedBytesMin - 1).empty());
  CHECK(Chosen({"gzip, identity;q=0"}, 1) == "gzip");
}

TEST_CASE("Coded bytes decode to the body, and are the same each time") {
  std::string body;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{100000}, size_t{3000000}}) {
    while (body.size() < size) body += "{\"id\":\"ip-" + std::to_string(body.size()) + "\"},";
    body.resize(size);
    const auto gzip = EncodeBody(ContentCoding::kGzip, body);
    REQUIRE(gzip.ok());
    CHECK((Gunzipped(*gzip, size + 1) == body));
    const auto zstd = EncodeBody(ContentCoding::kZstd, body);
    REQUIRE(zstd.ok());
    std::string decoded(size + 1, '\0');
    const size_t decoded_size =
        ZSTD_decompress(decoded.data(), decoded.size(), zstd->data(), zstd->size());
    REQUIRE(decoded_size == size);
    CHECK((decoded.substr(0, size) == body));
    if (size > 1000) CHECK(std::max(gzip->size(), zstd->size()) < size / 3);
    CHECK((*EncodeBody(ContentCoding::kGzip, body) == *gzip));
    CHECK((*EncodeBody(ContentCoding::kZstd, body) == *zstd));
    CHECK((*EncodeBody(ContentCoding::kIdentity, body) == body));
  }
}

}  // namespace
}  // namespace relations::gateway
