#include "storage/import/misp_reader.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/import/graph_draft.h"
#include "storage/import/misp_fields.h"
#include "storage/import/misp_types.h"
#include "storage/import/timestamp_text.h"
#include "storage/import/value_normaliser.h"

namespace relations {
namespace {

using Node = GraphDraft::Node;

class DocumentReader {
 public:
  DocumentReader(const std::string& file, ImportRun& run) : run_(run) { position_.file = file; }

  absl::Status Read(const JsonElement& root) {
    JsonElement events = root;
    if (const auto object = AsObject(root)) {
      if (IsMispManifest(*object)) {
        run_.Skip("misp manifest");
        return absl::OkStatus();
      }
      events = Member(*object, "response").value_or(root);
    }
    if (const auto array = AsArray(events)) {
      uint64_t number = 0;
      for (const JsonElement element : *array) {
        RETURN_IF_ERROR(ReadEventElement(element, ++number));
      }
    } else {
      RETURN_IF_ERROR(ReadEventElement(events, 1));
    }
    RETURN_IF_ERROR(ResolveReferences());
    return draft_.Emit(run_);
  }

 private:
  // What the parts of an event share.
  struct Event {
    std::string name;
    std::optional<Node> report;
    std::optional<absl::Time> time;
  };
  struct Reference {
    Node source;
    std::string target_uuid;
    std::string type;
    std::optional<absl::Time> time;
    std::string where;
  };

  absl::Status Reject(absl::string_view reason) { return run_.Reject(position_, reason); }

  absl::Status ReadEventElement(const JsonElement& element, uint64_t number) {
    position_.where = absl::StrCat("event number ", number);
    const auto object = AsObject(element);
    if (!object.has_value()) return Reject("not an object");
    if (const auto wrapped = Member(*object, "Event")) {
      const auto event = AsObject(*wrapped);
      return event.has_value() ? ReadEvent(*event, number) : Reject("Event: not an object");
    }
    if (!Member(*object, "info").has_value()) {
      return Reject("no event: neither Event nor info is there");
    }
    return ReadEvent(*object, number);
  }

  absl::Status ReadEvent(const JsonObject& json, uint64_t number) {
    Event event;
    event.name = MispNameOf("event", json, number);
    position_.where = event.name;
    event.time = MispTime(json, "timestamp");
    if (const auto date = StringMember(json, "date"); date.has_value() && !event.time) {
      event.time = ParseDay(*date);
    }
    if (const auto uuid = Member(json, "uuid")) {
      const auto text = AsString(*uuid);
      absl::StatusOr<TypedValue> report = text.has_value()
                                              ? CleanValue("report", *text)
                                              : absl::InvalidArgumentError("uuid: not a string");
      if (report.ok()) {
        event.report =
            draft_.AddEntity(*report, {event.time, std::nullopt, MispPlainTags(json)}, position_);
      } else {
        RETURN_IF_ERROR(Reject(report.status().message()));
      }
    } else {
      run_.Skip("misp event without uuid");
    }
    if (event.report.has_value()) {
      ASSIGN_OR_RETURN(const std::vector<Node> clusters, Clusters(json, event.time));
      for (const Node cluster : clusters) {
        RETURN_IF_ERROR(
            draft_.AddRelation(*event.report, cluster, "refers-to", event.time, position_));
      }
    }
    RETURN_IF_ERROR(ForEachObject(json, "Attribute", event,
                                  [this, &event](const JsonObject& attribute, uint64_t index) {
                                    return ReadAttribute(event, {}, attribute, index).status();
                                  }));
    return ForEachObject(json, "Object", event,
                         [this, &event](const JsonObject& object, uint64_t index) {
                           return ReadObject(event, object, index);
                         });
  }

  // Calls `read` for each object of an array member with its number; rejects what is none.
  template <typename Read>
  absl::Status ForEachObject(const JsonObject& json, absl::string_view key, const Event& event,
                             Read read) {
    const auto member = Member(json, key);
    if (!member.has_value()) return absl::OkStatus();
    const auto array = AsArray(*member);
    position_.where = event.name;
    if (!array.has_value()) return Reject(absl::StrCat(key, ": not an array"));
    uint64_t number = 0;
    for (const JsonElement element : *array) {
      ++number;
      if (const auto object = AsObject(element)) {
        RETURN_IF_ERROR(read(*object, number));
      } else {
        position_.where = absl::StrCat(event.name, ", ", key, " number ", number);
        RETURN_IF_ERROR(Reject("not an object"));
      }
    }
    return absl::OkStatus();
  }

  // The entities of an attribute, added to the draft with all that hangs on them.
  absl::StatusOr<std::vector<Node>> ReadAttribute(const Event& event, absl::string_view object_name,
                                                  const JsonObject& json, uint64_t number) {
    position_.where = absl::StrCat(event.name, ", ", MispNameOf("attribute", json, number));
    AddPlace(json, std::nullopt);
    if (IsMispDeleted(json)) {
      run_.Skip("misp deleted attribute");
      return std::vector<Node>();
    }
    ASSIGN_OR_RETURN(const std::vector<TypedValue> values, AttributeValues(object_name, json));
    const std::optional<absl::Time> own_time = MispTime(json, "timestamp");
    const std::optional<absl::Time> time = own_time.has_value() ? own_time : event.time;
    Mention mention = {time, std::nullopt, MispPlainTags(json)};
    if (const auto last_seen = StringMember(json, "last_seen")) {
      mention.last_seen = ParseRfc3339(*last_seen);
    }
    std::vector<Node> nodes;
    for (const TypedValue& value : values) {
      nodes.push_back(draft_.AddEntity(value, mention, position_));
    }
    if (nodes.empty()) {
      return nodes;
    }
    AddPlace(json, draft_.AnchorOf(nodes));
    RETURN_IF_ERROR(draft_.RelateParts(nodes, time, position_));
    ASSIGN_OR_RETURN(const std::vector<Node> clusters, Clusters(json, time));
    for (const Node node : nodes) {
      if (event.report.has_value()) {
        RETURN_IF_ERROR(draft_.AddRelation(*event.report, node, "refers-to", time, position_));
      }
      for (const Node cluster : clusters) {
        RETURN_IF_ERROR(draft_.AddRelation(node, cluster, "related-to", time, position_));
      }
    }
    return nodes;
  }

  absl::StatusOr<std::vector<TypedValue>> AttributeValues(absl::string_view object_name,
                                                          const JsonObject& json) {
    std::vector<TypedValue> values;
    const auto type = StringMember(json, "type");
    if (!type.has_value()) {
      RETURN_IF_ERROR(Reject("an attribute without a type"));
      return values;
    }
    const absl::string_view special =
        TypeInMispObject(object_name, StringMember(json, "object_relation").value_or(""));
    if (special.empty() && !IsMappedMispType(*type)) {
      run_.Skip(absl::StrCat("misp attribute type ", *type));
      return values;
    }
    const auto text = TextMember(json, "value");
    if (!text.has_value()) {
      RETURN_IF_ERROR(Reject("an attribute without a value"));
      return values;
    }
    std::vector<std::string> faults;
    if (special.empty()) {
      values = MispEntities(*type, *text, faults);
    } else if (absl::StatusOr<TypedValue> value = CleanValue(special, *text); value.ok()) {
      values.push_back(*std::move(value));
    } else {
      faults.emplace_back(value.status().message());
    }
    for (const std::string& fault : faults) {
      RETURN_IF_ERROR(Reject(fault));
    }
    return values;
  }

  absl::Status ReadObject(const Event& event, const JsonObject& json, uint64_t number) {
    const std::string name = absl::StrCat(event.name, ", ", MispNameOf("object", json, number));
    position_.where = name;
    AddPlace(json, std::nullopt);
    if (IsMispDeleted(json)) {
      run_.Skip("misp deleted object");
      return absl::OkStatus();
    }
    const Event scope = {name, event.report, event.time};
    const std::string object_name(StringMember(json, "name").value_or(""));
    std::vector<Node> parts;
    RETURN_IF_ERROR(
        ForEachObject(json, "Attribute", scope, [&](const JsonObject& attribute, uint64_t index) {
          absl::StatusOr<std::vector<Node>> nodes =
              ReadAttribute(scope, object_name, attribute, index);
          if (nodes.ok()) {
            parts.insert(parts.end(), nodes->begin(), nodes->end());
          }
          return nodes.status();
        }));
    position_.where = name;
    const std::optional<absl::Time> own_time = MispTime(json, "timestamp");
    const std::optional<absl::Time> time = own_time.has_value() ? own_time : event.time;
    std::optional<Node> anchor;
    if (!parts.empty()) {
      anchor = draft_.AnchorOf(parts);
      AddPlace(json, anchor);
      RETURN_IF_ERROR(draft_.RelateParts(parts, time, position_));
    }
    return ForEachObject(json, "ObjectReference", scope,
                         [&](const JsonObject& reference, uint64_t index) {
                           return ReadReference(scope, anchor, time, reference, index);
                         });
  }

  absl::Status ReadReference(const Event& object, std::optional<Node> source,
                             std::optional<absl::Time> time, const JsonObject& json,
                             uint64_t number) {
    position_.where = absl::StrCat(object.name, ", ", MispNameOf("reference", json, number));
    if (IsMispDeleted(json)) {
      run_.Skip("misp deleted reference");
      return absl::OkStatus();
    }
    const auto target = StringMember(json, "referenced_uuid");
    if (!target.has_value()) return Reject("a reference without referenced_uuid");
    std::string type = SafeRelationType(StringMember(json, "relationship_type").value_or(""));
    if (type.size() > limits::kRelationTypeBytesMax) {
      return Reject(
          absl::StrCat("relationship_type: longer than ", limits::kRelationTypeBytesMax, " bytes"));
    }
    if (!source.has_value()) {
      run_.Skip("misp reference with an end that is no entity");
      return absl::OkStatus();
    }
    const std::optional<absl::Time> own_time = MispTime(json, "timestamp");
    references_.push_back({*source, absl::AsciiStrToLower(*target), std::move(type),
                           own_time.has_value() ? own_time : time, position_.where});
    return absl::OkStatus();
  }

  absl::Status ResolveReferences() {
    for (const Reference& reference : references_) {
      position_.where = reference.where;
      const auto place = places_.find(reference.target_uuid);
      if (place == places_.end()) {
        run_.Dangling();
      } else if (place->second.empty()) {
        run_.Skip("misp reference with an end that is no entity");
      } else {
        for (const Node target : place->second) {
          RETURN_IF_ERROR(draft_.AddRelation(reference.source, target, reference.type,
                                             reference.time, position_));
        }
      }
    }
    return absl::OkStatus();
  }

  // Makes known where references to an object or attribute lead.
  void AddPlace(const JsonObject& json, std::optional<Node> anchor) {
    const auto uuid = StringMember(json, "uuid");
    if (!uuid.has_value()) return;
    std::vector<Node>& anchors = places_[absl::AsciiStrToLower(*uuid)];
    if (anchor.has_value()) anchors.push_back(*anchor);
  }

  // The entities of the galaxy clusters on an event or attribute, whichever way they are given.
  absl::StatusOr<std::vector<Node>> Clusters(const JsonObject& json,
                                             std::optional<absl::Time> time) {
    std::vector<Node> clusters;
    if (const auto galaxies = ArrayMember(json, "Galaxy")) {
      for (const JsonElement element : *galaxies) {
        if (const auto galaxy = AsObject(element)) {
          RETURN_IF_ERROR(AddGalaxy(*galaxy, time, clusters));
        }
      }
    }
    for (const absl::string_view tag : MispTagNames(json)) {
      if (const auto galaxy_tag = ParseMispGalaxyTag(tag)) {
        RETURN_IF_ERROR(AddCluster(galaxy_tag->galaxy_type, galaxy_tag->value, time, clusters));
      }
    }
    return clusters;
  }

  absl::Status AddGalaxy(const JsonObject& galaxy, std::optional<absl::Time> time,
                         std::vector<Node>& clusters) {
    const auto type = StringMember(galaxy, "type");
    const auto members = ArrayMember(galaxy, "GalaxyCluster");
    if (!members.has_value()) return absl::OkStatus();
    if (!type.has_value()) return Reject("a galaxy without a type");
    for (const JsonElement element : *members) {
      const auto cluster = AsObject(element);
      const auto value = cluster.has_value() ? StringMember(*cluster, "value") : std::nullopt;
      if (value.has_value()) {
        RETURN_IF_ERROR(AddCluster(*type, *value, time, clusters));
      } else {
        RETURN_IF_ERROR(Reject("a galaxy cluster without a value"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status AddCluster(absl::string_view galaxy_type, absl::string_view value,
                          std::optional<absl::Time> time, std::vector<Node>& clusters) {
    const absl::string_view type = MispGalaxyType(galaxy_type);
    if (type.empty()) {
      run_.Skip(absl::StrCat("misp galaxy ", galaxy_type));
      return absl::OkStatus();
    }
    const absl::StatusOr<TypedValue> entity = CleanValue(type, MispClusterValue(type, value));
    if (!entity.ok()) return Reject(entity.status().message());
    clusters.push_back(draft_.AddEntity(*entity, {time, std::nullopt, {}}, position_));
    return absl::OkStatus();
  }

  ImportRun& run_;
  ImportPosition position_;
  GraphDraft draft_;
  // By lower-case uuid: the anchors of objects and attributes; none for those without entities.
  // More than one where documents give an uuid twice.
  absl::flat_hash_map<std::string, std::vector<Node>> places_;
  std::vector<Reference> references_;
};

}  // namespace

absl::Status ReadMispDocument(const JsonElement& root, const std::string& file, ImportRun& run) {
  return DocumentReader(file, run).Read(root);
}

}  // namespace relations
