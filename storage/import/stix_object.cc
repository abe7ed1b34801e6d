#include "storage/import/stix_object.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/base/limits.h"
#include "storage/import/stix_pattern.h"
#include "storage/import/stix_types.h"
#include "storage/import/thing.h"
#include "storage/import/timestamp_text.h"

namespace relations {
namespace {

class ObjectReader {
 public:
  explicit ObjectReader(const JsonObject& json) : json_(json) {}

  absl::StatusOr<StixObject> Read() {
    const auto type = StringMember(json_, "type");
    if (!type.has_value() || type->empty()) {
      return absl::InvalidArgumentError("an object without a type");
    }
    object_.type = std::string(*type);
    object_.id = std::string(StringMember(json_, "id").value_or(""));
    ReadCommonProperties();
    ReadEntities();
    ReadStatements();
    return std::move(object_);
  }

 private:
  bool IsType(absl::string_view type) const { return object_.type == type; }
  void Reject(absl::string_view reason) { object_.rejections.emplace_back(reason); }
  void Skip(std::string kind) { object_.skipped.push_back(std::move(kind)); }

  std::optional<absl::Time> TimeMember(absl::string_view key) {
    const auto member = Member(json_, key);
    if (!member.has_value()) return std::nullopt;
    const auto text = AsString(*member);
    const auto time = text.has_value() ? ParseRfc3339(*text) : std::nullopt;
    if (!time.has_value()) {
      Skip(absl::StrCat("stix ", key, " that is no time"));
    }
    return time;
  }

  void ReadCommonProperties() {
    const auto modified = TimeMember("modified");
    const auto created = TimeMember("created");
    const auto version = modified.has_value() ? modified : created;
    object_.version = version.value_or(absl::InfinitePast());
    object_.timestamp = version.has_value() ? version : TimeMember("valid_from");
    object_.last_seen = TimeMember(IsType("observed-data") ? "last_observed" : "last_seen");
    if (const auto revoked = Member(json_, "revoked")) {
      object_.revoked = revoked->is_bool() && bool{*revoked};
    }
    for (const char* const property : StixTagProperties()) {
      for (std::string& tag : StringsMember(json_, property)) {
        object_.tags.push_back(std::move(tag));
      }
    }
  }

  // Adds an entity that the object stands for.
  void AddEntity(absl::string_view type, absl::string_view raw) {
    if (AddPart(type, raw)) {
      object_.stands_for.push_back(object_.parts.size() - 1);
    }
  }
  bool AddPart(absl::string_view type, absl::string_view raw) {
    absl::StatusOr<TypedValue> value = CleanStixValue(type, raw);
    if (!value.ok()) {
      Reject(value.status().message());
      return false;
    }
    object_.parts.push_back(*std::move(value));
    return true;
  }
  // Adds the entity of a property; false when the property is absent.
  bool AddProperty(absl::string_view property, absl::string_view type) {
    const auto member = Member(json_, property);
    if (!member.has_value()) return false;
    const auto text = TextMember(json_, property);
    if (text.has_value()) {
      AddEntity(type, *text);
    } else {
      Reject(absl::StrCat(property, ": neither a string nor an integer"));
    }
    return true;
  }
  void AddName(absl::string_view type) {
    if (!AddProperty("name", type)) {
      Skip(absl::StrCat("stix ", object_.type, " without name"));
    }
  }

  void ReadEntities() {
    if (const StixPropertyEntity* const row = FindStixPropertyEntity(object_.type)) {
      return ReadPropertyEntity(*row);
    }
    if (IsStixTypeWithoutEntities(object_.type)) return;
    if (IsType("malware")) return ReadMalware();
    if (IsType("vulnerability")) return ReadVulnerability();
    if (IsType("report") || IsType("grouping")) return ReadReport();
    if (IsType("indicator")) return ReadIndicator();
    if (IsType("observed-data")) return ReadObservedData();
    if (IsType("file") || IsType("artifact")) return ReadFile();
    if (IsType("x509-certificate")) return ReadCertificate();
    if (IsType("network-traffic")) return StandForRefs({"src_ref", "dst_ref"});
    if (IsType("email-message")) return StandForRefs({"from_ref"});
    ReadOther();
  }

  void ReadPropertyEntity(const StixPropertyEntity& row) {
    if (AddProperty(row.property, row.entity_type)) return;
    if (row.other_property != nullptr && AddProperty(row.other_property, row.other_entity_type)) {
      return;
    }
    Skip(absl::StrCat("stix ", object_.type, " without ", row.property));
  }

  void ReadMalware() {
    const auto is_family = Member(json_, "is_family");
    const bool is_one = is_family.has_value() && is_family->is_bool() && !bool{*is_family};
    AddName(is_one ? "malware" : "malware-family");
  }

  void ReadVulnerability() {
    std::vector<std::string> names = ExternalIds();
    if (const auto name = StringMember(json_, "name")) {
      names.insert(names.begin(), std::string(*name));
    }
    for (const std::string& name : names) {
      const absl::string_view trimmed = absl::StripAsciiWhitespace(name);
      if (IsCveName(trimmed)) return AddEntity("cve", trimmed);
    }
    AddName("vulnerability");
  }

  void ReadReport() {
    const std::string prefix = absl::StrCat(object_.type, "--");
    absl::string_view uuid = object_.id;
    if (!absl::ConsumePrefix(&uuid, prefix)) {
      Reject("the id of a report is not its type, -- and a UUID");
      return;
    }
    AddEntity("report", uuid);
  }

  void ReadIndicator() {
    const auto pattern_type = Member(json_, "pattern_type");
    if (pattern_type.has_value() && AsString(*pattern_type) != absl::string_view("stix")) {
      Skip(absl::StrCat("pattern type ", AsString(*pattern_type).value_or("of another kind")));
      return;
    }
    const auto text = StringMember(json_, "pattern");
    if (!text.has_value()) {
      Reject("an indicator without a pattern");
      return;
    }
    absl::StatusOr<StixPattern> pattern = ParseStixPattern(*text);
    if (!pattern.ok()) {
      Reject(pattern.status().message());
      return;
    }
    AddPattern(*pattern);
  }

  void AddPattern(const StixPattern& pattern) {
    // Where each value of the pattern is among the parts, if it was accepted.
    std::vector<std::optional<size_t>> places;
    for (const StixPattern::Value& value : pattern.values) {
      const size_t place = object_.parts.size();
      AddEntity(value.type, value.text);
      places.push_back(object_.parts.size() > place ? std::optional<size_t>(place) : std::nullopt);
    }
    for (const std::vector<size_t>& file : pattern.files) {
      std::vector<size_t> thing;
      bool has_hash = false;
      for (const size_t index : file) {
        if (places[index].has_value()) {
          thing.push_back(*places[index]);
          has_hash = has_hash || IsHashType(object_.parts[*places[index]].type);
        }
      }
      if (has_hash) object_.things.push_back(std::move(thing));
    }
    for (const std::string& kind : pattern.unmapped) {
      Skip(kind);
    }
    if (pattern.values.empty()) {
      Skip("indicator without a mapped observable");
    }
  }

  void ReadObservedData() {
    object_.stands_for_refs = StringsMember(json_, "object_refs");
    const auto embedded = ObjectMember(json_, "objects");
    if (!embedded.has_value()) return;
    if (object_.id.empty()) {
      Reject("observed data without an id");
      return;
    }
    for (const auto [key, value] : *embedded) {
      const auto json = AsObject(value);
      if (!json.has_value()) {
        Reject("objects: not an object");
        continue;
      }
      // Embedded objects embed none: their own would not be observed data.
      if (StringMember(*json, "type") == absl::string_view("observed-data")) {
        Reject("objects: observed data in observed data");
        continue;
      }
      absl::StatusOr<StixObject> object = ObjectReader(*json).Read();
      if (!object.ok()) {
        Reject(absl::StrCat("objects: ", object.status().message()));
        continue;
      }
      AddEmbedded(ToView(key), *std::move(object));
    }
  }

  // References of an embedded object are keys beside its own.
  std::string EmbeddedId(absl::string_view key) const { return absl::StrCat(object_.id, "/", key); }
  void AddEmbedded(absl::string_view key, StixObject object) {
    object.id = EmbeddedId(key);
    for (std::string& ref : object.stands_for_refs) {
      ref = EmbeddedId(ref);
    }
    for (StixStatement& statement : object.statements) {
      if (!statement.source_ref.empty()) {
        statement.source_ref = EmbeddedId(statement.source_ref);
      }
      statement.target_ref = EmbeddedId(statement.target_ref);
    }
    object.timestamp = object_.timestamp;
    object.last_seen = object_.last_seen;
    object_.stands_for_refs.push_back(object.id);
    object_.embedded.push_back(std::move(object));
  }

  // The mapped hashes of the object, each as an entity of its kind or of `type` when that is given.
  void AddHashes(absl::string_view type) {
    const auto hashes = ObjectMember(json_, "hashes");
    if (!hashes.has_value()) return;
    for (const auto [name, value] : *hashes) {
      const absl::string_view hash_type = HashType(ToView(name));
      const auto text = AsString(value);
      if (hash_type.empty()) {
        Skip(absl::StrCat("stix hash ", ToView(name)));
      } else if (!text.has_value()) {
        Reject(absl::StrCat("hashes.", ToView(name), ": not a string"));
      } else {
        AddPart(type.empty() ? hash_type : type, *text);
      }
    }
  }

  void ReadFile() {
    AddHashes({});
    if (const auto name = IsType("file") ? Member(json_, "name") : std::nullopt) {
      if (const auto text = AsString(*name)) {
        AddPart("filename", *text);
      } else {
        Reject("name: not a string");
      }
    }
    if (object_.parts.empty()) {
      Skip(absl::StrCat("stix ", object_.type, " without a mapped hash or name"));
      return;
    }
    std::vector<size_t> thing(object_.parts.size());
    size_t anchor = 0;
    for (size_t i = 0; i < thing.size(); ++i) {
      thing[i] = i;
      if (AnchorRank(object_.parts[i].type) < AnchorRank(object_.parts[anchor].type)) {
        anchor = i;
      }
    }
    object_.stands_for.push_back(anchor);
    object_.things.push_back(std::move(thing));
  }

  void ReadCertificate() {
    AddHashes("certificate-fingerprint");
    for (size_t i = 0; i < object_.parts.size(); ++i) {
      object_.stands_for.push_back(i);
    }
  }

  void StandForRefs(std::initializer_list<const char*> properties) {
    for (const char* const property : properties) {
      if (const auto ref = StringMember(json_, property)) {
        object_.stands_for_refs.emplace_back(*ref);
      }
    }
  }

  std::vector<std::string> ExternalIds() const {
    std::vector<std::string> ids;
    const auto references = ArrayMember(json_, "external_references");
    if (!references.has_value()) return ids;
    for (const JsonElement element : *references) {
      const auto reference = AsObject(element);
      const auto id =
          reference.has_value() ? StringMember(*reference, "external_id") : std::nullopt;
      if (id.has_value()) ids.emplace_back(*id);
    }
    return ids;
  }

  void ReadOther() {
    if (const std::vector<std::string> ids = ExternalIds(); !ids.empty()) {
      return AddEntity(object_.type, ids.front());
    }
    if (!AddProperty("name", object_.type) && !AddProperty("value", object_.type)) {
      Skip(absl::StrCat("stix ", object_.type, " without external id, name and value"));
    }
  }

  void ReadStatements() {
    if (IsType("relationship")) return ReadRelationship();
    if (IsType("sighting")) return ReadSighting();
    for (const StixReferenceList& list : StixReferenceLists()) {
      if (list.stix_type == nullptr || IsType(list.stix_type)) {
        for (std::string& ref : StringsMember(json_, list.property)) {
          object_.statements.push_back({{}, std::move(ref), list.relation_type});
        }
      }
    }
    if (IsType("network-traffic")) {
      const auto source = StringMember(json_, "src_ref");
      const auto target = StringMember(json_, "dst_ref");
      if (source.has_value() && target.has_value()) {
        object_.statements.push_back(
            {std::string(*source), std::string(*target), "communicates-with"});
      }
    }
  }

  void ReadRelationship() {
    const auto source = StringMember(json_, "source_ref");
    const auto target = StringMember(json_, "target_ref");
    if (!source.has_value() || !target.has_value() || source->empty() || target->empty()) {
      Reject("a relationship without source_ref and target_ref");
      return;
    }
    const auto type = Member(json_, "relationship_type");
    const auto text = type.has_value() ? AsString(*type) : absl::string_view();
    if (!text.has_value()) {
      Reject("relationship_type: not a string");
      return;
    }
    std::string safe_type = SafeRelationType(*text);
    if (safe_type.size() > limits::kRelationTypeBytesMax) {
      Reject(
          absl::StrCat("relationship_type: longer than ", limits::kRelationTypeBytesMax, " bytes"));
      return;
    }
    object_.statements.push_back(
        {std::string(*source), std::string(*target), std::move(safe_type)});
  }

  void ReadSighting() {
    const auto target = StringMember(json_, "sighting_of_ref");
    if (!target.has_value()) {
      Reject("a sighting without sighting_of_ref");
      return;
    }
    for (std::string& ref : StringsMember(json_, "observed_data_refs")) {
      object_.statements.push_back({std::move(ref), std::string(*target), "sighting-of"});
    }
  }

  const JsonObject& json_;
  StixObject object_;
};

}  // namespace

absl::StatusOr<StixObject> ReadStixObject(const JsonObject& json) {
  return ObjectReader(json).Read();
}

}  // namespace relations
