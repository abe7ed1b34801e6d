// JSON Schemas (2020-12) of the REST bodies, made from the descriptors of the API's messages, so
// that a new field of the API is in them without a change here.
//
//   an answer   every field of the message, required, in the form that AnswerWriter gives it
//   a report    the members that report_json.h reads; null is absence
//
// Pure functions.
#pragma once

#include "absl/status/statusor.h"
#include "gateway/json_pieces.h"

namespace relations::gateway {

// The schemas by name: RelationsAnswer, Entity, Relation, EntityReport, AssociationReport.
// INTERNAL names a field of a kind that has no form here.
absl::StatusOr<JsonMembers> MessageSchemas();

// A reference to one of them.
std::string SchemaReference(absl::string_view name);

// The words of the header x-stop-reason.
std::vector<std::string> StopReasons();

}  // namespace relations::gateway
