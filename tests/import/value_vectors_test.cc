// The worked vectors of entity ids, which other producers agree on: what each type accepts, its
// normal form and its id. Where this system decides otherwise, the difference is named here.
#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "google/protobuf/struct.pb.h"
#include "storage/entity_id.h"
#include "storage/import/value_normaliser.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

using google::protobuf::Struct;
using google::protobuf::Value;

// Accepted by the vectors, refused here: what cannot be read as an integer, which others make 0,
// and the empty value.
const std::set<std::pair<std::string, std::string>> kRefusedHere = {
    {"asn", "true"}, {"bank-account-nr", "12345678901234567890"},
    {"base64", ""},  {"city", ""},
    {"country", ""}, {"path", ""},
};

// Accepted by the vectors with another form: AS15169 is no 0.
const std::map<std::pair<std::string, std::string>, std::string> kOtherFormHere = {
    {{"asn", "AS15169"}, "15169"},
};

// Refused by the vectors, accepted here, with the form: what feeds really contain.
const std::map<std::pair<std::string, std::string>, std::string> kAcceptedHere = {
    {{"certificate-fingerprint", "5E:FF:56"}, "5eff56"},
    {{"domain",
      "b\xC3\xBC"
      "cher.example"},
     "xn--bcher-kva.example"},
    {{"domain", "example.xn--p1ai"}, "example.xn--p1ai"},
    {{"domain", "x.museum1"}, "x.museum1"},
    {{"hostname", "-a.com"}, "-a.com"},
    {{"mac-address", "00:1A:2B:3C:4D:5E"}, "00:1a:2b:3c:4d:5e"},
    {{"url", "https://example.com#f"}, "https://example.com#f"},
    {{"url", "https://example.com/%zz"}, "https://example.com/%zz"},
};

std::vector<Struct> ReadVectors() {
  std::ifstream file(RELATIONS_SOURCE_DIR "/tests/import/data/id_vectors.jsonl");
  std::vector<Struct> vectors;
  for (std::string line; std::getline(file, line);) {
    REQUIRE(google::protobuf::util::JsonStringToMessage(line, &vectors.emplace_back()).ok());
  }
  return vectors;
}

// A JSON value as the text that a producer would give; null, which is absence, as nothing.
std::string TextOf(const Value& value) {
  switch (value.kind_case()) {
    case Value::kNumberValue:
      return NumberText(value.number_value());
    case Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    default:
      return value.string_value();
  }
}

std::string Field(const Struct& vector, const std::string& name) {
  const auto field = vector.fields().find(name);
  return field == vector.fields().end() ? "" : field->second.string_value();
}

TEST_CASE("every worked vector gives its normal form and id, but for the differences named") {
  const std::vector<Struct> vectors = ReadVectors();
  REQUIRE(vectors.size() == 150);
  size_t differences = 0;
  for (const Struct& vector : vectors) {
    const std::string type = Field(vector, "type");
    const std::string in = TextOf(vector.fields().at("in"));
    CAPTURE(type, in);
    const absl::StatusOr<std::string> normal = NormaliseValue(type, in);
    const auto key = std::make_pair(type, in);
    if (kRefusedHere.contains(key)) {
      CHECK(normal.status().code() == absl::StatusCode::kInvalidArgument);
      ++differences;
    } else if (const auto other = kOtherFormHere.find(key); other != kOtherFormHere.end()) {
      REQUIRE(normal.ok());
      CHECK(*normal == other->second);
      ++differences;
    } else if (const auto wider = kAcceptedHere.find(key); wider != kAcceptedHere.end()) {
      REQUIRE_FALSE(vector.fields().at("accept").bool_value());
      REQUIRE(normal.ok());
      CHECK(*normal == wider->second);
      ++differences;
    } else if (vector.fields().at("accept").bool_value()) {
      CAPTURE(normal.status().ToString());
      REQUIRE(normal.ok());
      CHECK(*normal == Field(vector, "normal"));
      CHECK(MakeEntityId(type, *normal) == Field(vector, "id"));
    } else {
      CHECK(normal.status().code() == absl::StatusCode::kInvalidArgument);
    }
  }
  // Every difference named is met: none has outlived its vector.
  CHECK(differences == kRefusedHere.size() + kOtherFormHere.size() + kAcceptedHere.size());
}

}  // namespace
}  // namespace relations
