#include "storage/import/stix_set.h"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "storage/base/limits.h"
#include "storage/base/status_macros.h"
#include "storage/import/stix_graph.h"

namespace relations {
namespace {

// Longer ids than any that STIX has are cut in messages.
constexpr size_t kShownIdBytes = 128;

}  // namespace

ImportPosition PositionOf(const StixEntry& entry) {
  const std::string where =
      entry.object.id.empty()
          ? absl::StrCat("object number ", entry.number)
          : absl::StrCat("object ", absl::string_view(entry.object.id).substr(0, kShownIdBytes));
  return {entry.file, 0, where};
}

absl::Status StixSet::AddDocument(const JsonElement& root, const std::string& file,
                                  ImportRun& run) {
  std::optional<JsonArray> elements = AsArray(root);
  if (const auto object = AsObject(root)) {
    const auto objects = Member(*object, "objects");
    // Observed data of STIX 2.0 has objects too: a map.
    if (objects.has_value() && objects->is_array()) {
      elements = AsArray(*objects);
    } else if (StringMember(*object, "type") == absl::string_view("bundle")) {
      return objects.has_value() ? run.Reject({file, 0, "bundle"}, "objects: not an array")
                                 : absl::OkStatus();
    } else {
      return AddElement(root, file, 1, run);
    }
  }
  if (!elements.has_value()) {
    return run.Reject({file, 0, ""}, "neither an object nor an array");
  }
  uint64_t number = 0;
  for (const JsonElement element : *elements) {
    RETURN_IF_ERROR(AddElement(element, file, ++number, run));
  }
  return absl::OkStatus();
}

absl::Status StixSet::AddElement(const JsonElement& element, const std::string& file,
                                 uint64_t number, ImportRun& run) {
  const ImportPosition position = {file, 0, absl::StrCat("object number ", number)};
  const auto json = AsObject(element);
  if (!json.has_value()) {
    return run.Reject(position, "not an object");
  }
  absl::StatusOr<StixObject> object = ReadStixObject(*json);
  if (!object.ok()) {
    return run.Reject(position, object.status().message());
  }
  if (object->type == "bundle") {
    return run.Reject(position, "a bundle within another set of objects");
  }
  objects_ += 1 + object->embedded.size();
  if (objects_ > limits::kImportStixObjectsMax) {
    return absl::ResourceExhaustedError(
        absl::StrCat(PositionText(position), "more than ", limits::kImportStixObjectsMax,
                     " STIX objects in one import; import them in parts"));
  }
  AddVersion(std::make_unique<StixEntry>(StixEntry{*std::move(object), file, number}));
  return absl::OkStatus();
}

void StixSet::AddVersion(std::unique_ptr<StixEntry> entry) {
  if (entry->object.id.empty()) {
    without_id_.push_back(std::move(entry));
    return;
  }
  StixEntries& versions = versions_[entry->object.id];
  if (!versions.empty() && versions.front()->object.version > entry->object.version) {
    return;
  }
  if (!versions.empty() && versions.front()->object.version < entry->object.version) {
    versions.clear();
  }
  versions.push_back(std::move(entry));
}

absl::Status StixSet::Emit(ImportRun& run) {
  StixEntries entries = std::move(without_id_);
  absl::flat_hash_set<std::string> revoked_ids;
  for (auto& [id, versions] : versions_) {
    for (std::unique_ptr<StixEntry>& entry : versions) {
      if (entry->object.revoked) {
        run.Skip("revoked");
        revoked_ids.insert(id);
      } else {
        entries.push_back(std::move(entry));
      }
    }
  }
  versions_.clear();
  without_id_.clear();
  objects_ = 0;
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tie(a->object.id, a->file, a->number) < std::tie(b->object.id, b->file, b->number);
  });
  return StixGraph(std::move(entries), std::move(revoked_ids)).Emit(run);
}

}  // namespace relations
