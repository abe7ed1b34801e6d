// JSON Lines that are wrong in every way: each bad line is rejected with its number and reason, the
// others are imported.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "storage/base/limits.h"
#include "tests/import/collecting_sink.h"
#include "tests/support/catch.h"

namespace relations {
namespace {

constexpr char kGood[] = R"({"id":"domain-1","type":"domain"})";

// The reason for which a line between two good ones is rejected; "" when it is not.
std::string Refusal(const std::string& line) {
  const Imported imported = ImportText(
      "a.jsonl", absl::StrCat(kGood, "\n", line, "\n", R"({"id":"domain-2","type":"domain"})"));
  CHECK(imported.sink.entities.count("domain-1") == 1);
  CHECK(imported.sink.entities.count("domain-2") == 1);
  if (imported.sink.rejections.empty()) return "";
  CHECK(imported.sink.rejections.size() == 1);
  const std::string& rejection = imported.sink.rejections[0];
  CHECK(absl::StartsWith(rejection, "a.jsonl:2: "));
  CHECK(imported.sink.entities.size() == 2);
  CHECK(imported.sink.relations.empty());
  return rejection.substr(rejection.find(": ") + 2);
}

std::string Entity(const std::string& members) {
  return absl::StrCat(R"({"id":"ip-3","type":"ip",)", members, "}");
}
std::string Relation(const std::string& members) {
  return absl::StrCat(R"({"source":"domain-1","target":"domain-2",)", members, "}");
}

TEST_CASE("lines that are no objects are rejected") {
  CHECK(Refusal("{\"id\":\"x-1\"") == "not JSON: line 1, column 12: the text ends too early");
  CHECK(Refusal("[1]") == "not an object");
  CHECK(Refusal("\"text\"") == "not an object");
  CHECK(absl::StartsWith(Refusal("garbage"), "not JSON: line 1, column 1"));
  CHECK(absl::StartsWith(Refusal(std::string("{\"id\":\"ip-\0\"}", 13)), "not JSON: "));
  CHECK(absl::StartsWith(Refusal("{\"id\":\"\xFF\"}"), "not JSON: "));
  CHECK(absl::StartsWith(Refusal(std::string(kGood) + kGood), "not JSON: "));
  CHECK(absl::StartsWith(Refusal("{\"a\":" + std::string(100'000, '[')), "not JSON: "));
  CHECK(absl::StrContains(
      Refusal("{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"),
      "nested too deep"));
}

TEST_CASE("keys that are needed") {
  CHECK(Refusal("{}") == "id: missing");
  CHECK(Refusal(R"({"id":"ip-3"})") == "type: missing");
  CHECK(Refusal(R"({"type":"ip"})") == "id: missing");
  CHECK(Refusal(R"({"id":null,"type":"ip"})") == "id: missing");
  CHECK(Refusal(R"({"source":"domain-1"})") == "id: missing");
  CHECK(Refusal(R"({"source":"domain-1","target":null})") == "id: missing");
}

TEST_CASE("each member of an entity is of its type") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {R"("tags":"x")", "tags: not an array of strings"},
      {R"("tags":[1])", "tags: not a string"},
      {R"("visibleBy":"public")", "visibleBy: not an array of strings"},
      {R"("visibleBy":[])", "visibleBy: empty: nobody could see it"},
      {R"("visibleBy":["a,b"])",
       "visibleBy: a group name is 1 to 128 bytes without comma and control characters"},
      {R"("visibleBy":[""])",
       "visibleBy: a group name is 1 to 128 bytes without comma and control characters"},
      {R"("reputation":"1")", "reputation: not an integer of 32 bits"},
      {R"("reputation":1.5)", "reputation: not an integer of 32 bits"},
      {R"("bestReputation":2147483648)", "bestReputation: not an integer of 32 bits"},
      {R"("worstReputation":-2147483649)", "worstReputation: not an integer of 32 bits"},
      {R"("accuracy":true)", "accuracy: not an integer of 32 bits"},
      {R"("attributes":[])", "attributes: not an object"},
      {R"("attributes":{"a":{}})", "attributes.a: neither string, number nor boolean"},
      {R"("attributes":{"a":[1]})", "attributes.a: neither string, number nor boolean"},
      {R"("attributes":{"a":9007199254740993})",
       "attributes.a: an integer beyond 2^53 would lose digits; give it as a string"},
      {R"("attributes":{"a":-9007199254740993})",
       "attributes.a: an integer beyond 2^53 would lose digits; give it as a string"},
      {R"("attributes":{"a":18446744073709551615})",
       "attributes.a: an integer beyond 2^53 would lose digits; give it as a string"},
      {R"("attributes":{"a":18446744073709551616})",
       "a number is too large for 64 bits or for a double"},
      {R"("attributes":{"a":1e999})", "a number is too large for 64 bits or for a double"},
      {R"("attributes":{"a":1,"a":2})", "a: the key comes twice"},
      {R"("attributes":{"a":1,"\u0061":2})", "a: the key comes twice"},
      {R"("id":"ip-4")", "id: the key comes twice"},
      {R"("unknown":1,"unknown":2)", "unknown: the key comes twice"}};
  for (const auto& [members, reason] : rows) {
    INFO(members);
    CHECK(Refusal(Entity(members)) == reason);
  }
  for (const std::string key : {"@timestamp", "lastSeen"}) {
    CHECK(absl::StartsWith(Refusal(Entity("\"" + key + "\":\"2023-06-15\"")),
                           key + ": not an RFC 3339 time"));
    CHECK(Refusal(Entity("\"" + key + "\":1685700000")) == key + ": not a string");
  }
}

TEST_CASE("ids and types have their grammar") {
  for (const std::string id : {R"("")", R"("ab")", R"("-ab")", R"("ab-")", R"("abc")", R"("a_-b")",
                               R"("a-\u00e9")", R"("a-\u0000")"}) {
    INFO(id);
    CHECK(absl::StartsWith(Refusal("{\"id\":" + id + ",\"type\":\"ip\"}"), "id: not an entity id"));
  }
  CHECK(Refusal("{\"id\":\"a-" + std::string(126, 'b') + "\",\"type\":\"ip\"}").empty());
  CHECK_FALSE(Refusal("{\"id\":\"a-" + std::string(127, 'b') + "\",\"type\":\"ip\"}").empty());
  CHECK(Refusal(R"({"id":7,"type":"ip"})") == "id: not a string");
  for (const std::string type : {R"("")", R"("IP")", R"("a b")", R"("\u00e9")"}) {
    INFO(type);
    CHECK(absl::StartsWith(Refusal("{\"id\":\"a-b\",\"type\":" + type + "}"),
                           "type: not an entity type"));
  }
  CHECK(Refusal("{\"id\":\"a-b\",\"type\":\"" + std::string(64, 'b') + "\"}").empty());
  CHECK_FALSE(Refusal("{\"id\":\"a-b\",\"type\":\"" + std::string(65, 'b') + "\"}").empty());
}

TEST_CASE("each member of a relation is of its type") {
  CHECK(Refusal(Relation(R"("type":1)")) == "type: not a string");
  CHECK(Refusal(Relation(R"("mode":"both")")) == "mode: neither association nor aggregation");
  CHECK(Refusal(Relation(R"("mode":[])")) == "mode: not a string");
  CHECK(absl::StartsWith(Refusal(Relation(R"("lastSeen":"soon")")), "lastSeen: not an RFC 3339"));
  CHECK(Refusal(Relation(R"("visibleBy":[])")) == "visibleBy: empty: nobody could see it");
  CHECK(Refusal(Relation(R"("type":"a","type":"b")")) == "type: the key comes twice");
  CHECK(absl::StartsWith(Refusal(R"({"source":"x","target":"domain-2"})"),
                         "source: not an entity id"));
  CHECK(Refusal(R"({"source":1,"target":"domain-2"})") == "source: not a string");
  CHECK(Refusal(Relation("\"type\":\"" + std::string(128, 'a') + "\"")).empty());
  CHECK(Refusal(Relation("\"type\":\"" + std::string(129, 'a') + "\"")) ==
        "type: longer than 128 bytes");
}

TEST_CASE("lone surrogates are rejected wherever they stand") {
  for (const std::string surrogate : {"\\ud800", "\\udc00", "\\ud800x", "\\ud800\\ud800"}) {
    INFO(surrogate);
    CHECK_FALSE(Refusal(Entity("\"tags\":[\"" + surrogate + "\"]")).empty());
    CHECK_FALSE(Refusal(Entity("\"attributes\":{\"a\":\"" + surrogate + "\"}")).empty());
    CHECK_FALSE(Refusal(Entity("\"attributes\":{\"" + surrogate + "\":1}")).empty());
    CHECK_FALSE(Refusal(Relation("\"type\":\"" + surrogate + "\"")).empty());
  }
  CHECK(Refusal(Entity(R"("tags":["\ud83d\ude00"])")).empty());
}

std::string Strings(size_t count, const std::string& prefix) {
  std::vector<std::string> strings;
  for (size_t i = 0; i < count; ++i) {
    strings.push_back(absl::StrCat("\"", prefix, i, "\""));
  }
  return absl::StrCat("[", absl::StrJoin(strings, ","), "]");
}

TEST_CASE("an entity is read up to each limit and rejected beyond it") {
  const auto attribute = [](size_t size) {
    return Entity("\"attributes\":{\"a\":\"" + std::string(size, 'x') + "\"}");
  };
  CHECK(Refusal(attribute(limits::kValueBytesMax)).empty());
  CHECK(Refusal(attribute(limits::kValueBytesMax + 1)) == "attributes.a: longer than 65536 bytes");
  const auto tag = [](size_t size) {
    return Entity("\"tags\":[\"" + std::string(size, 'x') + "\"]");
  };
  CHECK(Refusal(tag(limits::kTagBytesMax)).empty());
  CHECK(Refusal(tag(limits::kTagBytesMax + 1)) == "tags: a tag is longer than 256 bytes");
  CHECK(Refusal(Entity("\"tags\":" + Strings(limits::kTagsMax, "t"))).empty());
  CHECK(Refusal(Entity("\"tags\":" + Strings(limits::kTagsMax + 1, "t"))) ==
        "tags: more tags than 64");
  CHECK(Refusal(Entity("\"visibleBy\":" + Strings(limits::kVisibleByMax, "g"))).empty());
  CHECK(Refusal(Entity("\"visibleBy\":" + Strings(limits::kVisibleByMax + 1, "g"))) ==
        "visibleBy: more groups than 32");
  const auto attributes = [](size_t count, size_t size) {
    std::vector<std::string> members;
    for (size_t i = 0; i < count; ++i) {
      members.push_back(absl::StrCat("\"a", i, "\":\"", std::string(size, 'x'), "\""));
    }
    return Entity(absl::StrCat("\"attributes\":{", absl::StrJoin(members, ","), "}"));
  };
  CHECK(Refusal(attributes(limits::kAttributesMax, 1)).empty());
  CHECK(Refusal(attributes(limits::kAttributesMax + 1, 1)) ==
        "attributes: more attributes than 256");
  CHECK(Refusal(attributes(15, 65536)).empty());
  CHECK(Refusal(attributes(16, 65536)) ==
        "attributes: the entity's record is larger than 1048576 bytes");
}

TEST_CASE("whole numbers keep their digits up to 2^53") {
  const Imported imported = ImportText(
      "a.jsonl", Entity(R"("attributes":{"a":9007199254740992,"b":-9007199254740992,"c":1e300})"));
  const auto& attributes = imported.sink.entities.at("ip-3").attributes();
  CHECK(attributes.at("a").number_value() == 9007199254740992.0);
  CHECK(attributes.at("b").number_value() == -9007199254740992.0);
  CHECK(attributes.at("c").number_value() == 1e300);
}

TEST_CASE("null is absence, and one time stands for both") {
  const Imported imported = ImportText(
      "a.jsonl", Entity(R"("lastSeen":"2020-01-01T00:00:00Z","@timestamp":null,"tags":null,)"
                        R"("visibleBy":null,"attributes":null,"reputation":null)"));
  const relations::v1::Entity& entity = imported.sink.entities.at("ip-3");
  CHECK(entity.timestamp().seconds() == 1577836800);
  CHECK(entity.last_seen().seconds() == 1577836800);
  CHECK(entity.visible_by_size() == 1);
}

TEST_CASE("line ends, blank lines, a byte order mark and a missing last end of line") {
  const Imported imported =
      ImportText("a.jsonl", absl::StrCat("\xEF\xBB\xBF\r\n\n", kGood, "\r\n \t\n",
                                         R"({"id":"domain-2","type":"domain"})", "\n\ngarbage"));
  CHECK(imported.sink.entities.size() == 2);
  REQUIRE(imported.sink.rejections.size() == 1);
  CHECK(absl::StartsWith(imported.sink.rejections[0], "a.jsonl:7: not JSON"));
}

TEST_CASE("a line is read up to the limit, and a longer one is rejected alone") {
  const auto line = [](size_t size) {
    std::string text = kGood;
    text.insert(1, size - text.size(), ' ');
    return text;
  };
  const std::string last = R"({"id":"domain-2","type":"domain"})";
  CHECK(
      ImportText("a.jsonl", line(limits::kImportLineBytesMax) + "\n" + last).sink.entities.size() ==
      2);
  for (const size_t size : {limits::kImportLineBytesMax + 1, 3 * limits::kImportLineBytesMax}) {
    for (const std::string& end : std::vector<std::string>{"\n" + last, "\n", ""}) {
      const Imported imported = ImportText("a.jsonl", "\n" + line(size) + end);
      CHECK(imported.sink.entities.size() == (end.size() > 1 ? 1U : 0U));
      CHECK(imported.sink.rejections ==
            std::vector<std::string>{"a.jsonl:2: longer than 16777216 bytes"});
    }
  }
}

TEST_CASE("lines that cross the borders of reading are whole") {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    absl::StrAppend(&text, "{\"id\":\"ip-", i, "\",\"type\":\"ip\",\"attributes\":{\"a\":\"",
                    std::string(static_cast<size_t>(i), 'x'), "\"}}\n");
  }
  REQUIRE(text.size() > (4U << 20));
  const Imported imported = ImportText("a.jsonl", text);
  CHECK(imported.sink.rejections.empty());
  CHECK(imported.sink.entities.size() == 3000);
  CHECK(imported.totals.bytes == text.size());
  CHECK(imported.sink.entities.at("ip-2999").attributes().at("a").string_value().size() == 2999);
}

TEST_CASE("of very many kinds of skipped keys the late ones are counted together") {
  std::string text;
  for (size_t i = 0; i < limits::kImportKindsMax + 5; ++i) {
    absl::StrAppend(&text, "{\"id\":\"ip-1\",\"type\":\"ip\",\"key", i, "\":1}\n");
  }
  const Imported imported = ImportText("a.jsonl", text);
  CHECK(imported.totals.skipped.size() == limits::kImportKindsMax + 1);
  CHECK(imported.totals.skipped.at("other kinds") == 5);
  const Imported long_key =
      ImportText("a.jsonl", Entity("\"" + std::string(1000, 'k') + "\\u0001\":1"));
  REQUIRE(long_key.totals.skipped.size() == 1);
  CHECK(long_key.totals.skipped.begin()->first.size() == limits::kImportKindBytesMax);
}

}  // namespace
}  // namespace relations
