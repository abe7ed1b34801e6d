// Answers as JSON, in the shape of the REST API.
#pragma once

#include <string>

#include "google/protobuf/struct.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "relations/v1/ingest.pb.h"
#include "relations/v1/relations.pb.h"

namespace relations {

// A node of the REST answer: its eleven keys, always present, in the order of the API.
std::string EntityJson(const v1::Entity& entity);

enum class AnswerDetails { kOmitted, kIncluded };

// {"nodes":[...],"relations":[...]} on one line. Without details there is one entry for each
// (source, target); with them one for each (source, target, type, mode).
std::string AnswerJson(const v1::GetRelationsResponse& answer, AnswerDetails details);

// {"token":...,"current":...,"goneEntities":[...],"goneRelations":[...],"entities":[...],
// "relations":[...]} on one line; relations with their details.
std::string WatchJson(const v1::WatchResponse& message);

// RFC 3339 in UTC: no fraction for a whole second, else up to nine digits without trailing zeros.
std::string TimestampText(const google::protobuf::Timestamp& timestamp);

// An attribute's value as text, a string without quotes; empty for what is no string, number or
// boolean.
std::string ValueText(const google::protobuf::Value& value);

}  // namespace relations
