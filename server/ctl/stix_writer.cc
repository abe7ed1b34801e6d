#include "server/ctl/stix_writer.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "server/ctl/answer_json.h"
#include "server/ctl/json_object.h"

namespace relations {
namespace {

// Of the ids of observables (STIX 2.1, section 2.9), and of ours.
constexpr char kObservables[] = "00abedb4aa42466c9c01fed23315a9b7";
constexpr char kOthers[] = "7d0f3b6c52a94a0e8f1d6a1c9be42753";

// An entity type as an object of STIX whose `property` holds the value.
struct Row {
  const char* entity_type;
  const char* stix_type;
  const char* property;
  bool observable;
};

constexpr Row kRows[] = {
    {"ip", "ipv4-addr", "value", true},
    {"domain", "domain-name", "value", true},
    {"url", "url", "value", true},
    {"email-address", "email-addr", "value", true},
    {"mac-address", "mac-addr", "value", true},
    {"asn", "autonomous-system", "number", true},
    {"path", "directory", "path", true},
    {"regkey", "windows-registry-key", "key", true},
    {"mutex", "mutex", "name", true},
    {"software", "software", "name", true},
    {"username", "user-account", "account_login", true},
    {"filename", "file", "name", true},
    {"file", "file", "name", true},
    {"md5", "file", "MD5", true},
    {"sha1", "file", "SHA-1", true},
    {"sha256", "file", "SHA-256", true},
    {"sha512", "file", "SHA-512", true},
    {"sha3-256", "file", "SHA3-256", true},
    {"group", "intrusion-set", "name", false},
    {"adversary", "threat-actor", "name", false},
    {"threat", "campaign", "name", false},
    {"malware-family", "malware", "name", false},
    {"cve", "vulnerability", "name", false},
};

// {type}--{UUID of version 5}.
std::string ObjectId(absl::string_view type, const char* name_space, absl::string_view name) {
  const std::string bytes = absl::StrCat(absl::HexStringToBytes(name_space), name);
  unsigned char digest[EVP_MAX_MD_SIZE];
  if (EVP_Digest(bytes.data(), bytes.size(), digest, nullptr, EVP_sha1(), nullptr) != 1) {
    std::abort();
  }
  digest[6] = (digest[6] & 0x0F) | 0x50;
  digest[8] = (digest[8] & 0x3F) | 0x80;
  const std::string hex =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(digest), 16));
  return absl::StrCat(type, "--", hex.substr(0, 8), "-", hex.substr(8, 4), "-", hex.substr(12, 4),
                      "-", hex.substr(16, 4), "-", hex.substr(20));
}

const Row* FindRow(absl::string_view entity_type) {
  for (const Row& row : kRows) {
    if (entity_type == row.entity_type) return &row;
  }
  return nullptr;
}

std::string MainValue(const v1::Entity& entity) {
  const auto value = entity.attributes().find(entity.type());
  const std::string text = value == entity.attributes().end() ? "" : ValueText(value->second);
  return text.empty() ? entity.id() : text;
}

// Adds the property that holds the value; the same bytes are what the id of an observable is made
// of.
void AddValue(const Row& row, const std::string& value, JsonObject& object) {
  const absl::string_view property = row.property;
  uint64_t number = 0;
  if (property == "number" && absl::SimpleAtoi(value, &number)) {
    object.AddNumber(property, static_cast<int64_t>(number));
  } else if (absl::ascii_isupper(static_cast<unsigned char>(property[0]))) {
    object.AddJson("hashes", JsonObject().AddString(property, value).Text());
  } else {
    object.AddString(property, value);
  }
}

struct StixObjectText {
  std::string id;
  std::string json;
};

StixObjectText Observable(const Row& row, const v1::Entity& entity, const std::string& value) {
  const bool is_v6 = entity.type() == "ip" && absl::StrContains(value, ":");
  const std::string type = is_v6 ? "ipv6-addr" : row.stix_type;
  JsonObject contributing;
  AddValue(row, value, contributing);
  std::string id = ObjectId(type, kObservables, contributing.Text());
  JsonObject object;
  object.AddString("type", type).AddString("spec_version", "2.1").AddString("id", id);
  AddValue(row, value, object);
  return {std::move(id), object.AddString("x_relations_id", entity.id()).Text()};
}

StixObjectText DomainObject(const Row* row, const v1::Entity& entity, const std::string& value) {
  const std::string type = row != nullptr ? row->stix_type : entity.type();
  // The name of a report is its UUID, which import takes from the id.
  std::string id =
      type == "report" ? absl::StrCat("report--", value) : ObjectId(type, kOthers, entity.id());
  JsonObject object;
  object.AddString("type", type)
      .AddString("spec_version", "2.1")
      .AddString("id", id)
      .AddString("created", TimestampText(entity.timestamp()))
      .AddString("modified", TimestampText(entity.timestamp()))
      .AddString("name", value);
  if (type == "malware") object.AddBoolean("is_family", entity.type() == "malware-family");
  if (entity.tags_size() > 0) object.AddJson("labels", JsonStrings(entity.tags()));
  return {std::move(id), object.AddString("x_relations_id", entity.id()).Text()};
}

StixObjectText ObjectOf(const v1::Entity& entity) {
  const Row* const row = FindRow(entity.type());
  const std::string value = MainValue(entity);
  return row != nullptr && row->observable ? Observable(*row, entity, value)
                                           : DomainObject(row, entity, value);
}

}  // namespace

std::string StixBundle(const v1::GetRelationsResponse& answer) {
  JsonArray objects;
  std::map<std::string, std::string> ids;
  std::string all;
  for (const v1::Entity& entity : answer.nodes()) {
    StixObjectText object = ObjectOf(entity);
    objects.AddJson(object.json);
    absl::StrAppend(&all, object.id, "\n");
    ids[entity.id()] = std::move(object.id);
  }
  for (const v1::Relation& relation : answer.relations()) {
    const std::string time = TimestampText(relation.last_seen());
    const std::string id = ObjectId("relationship", kOthers,
                                    absl::StrCat(relation.source(), "\n", relation.target(), "\n",
                                                 relation.type(), "\n", relation.mode()));
    objects.AddJson(JsonObject()
                        .AddString("type", "relationship")
                        .AddString("spec_version", "2.1")
                        .AddString("id", id)
                        .AddString("created", time)
                        .AddString("modified", time)
                        .AddString("relationship_type", relation.type())
                        .AddString("source_ref", ids[relation.source()])
                        .AddString("target_ref", ids[relation.target()])
                        .Text());
    absl::StrAppend(&all, id, "\n");
  }
  return JsonObject()
      .AddString("type", "bundle")
      .AddString("id", ObjectId("bundle", kOthers, all))
      .AddJson("objects", objects.Text())
      .Text();
}

}  // namespace relations
