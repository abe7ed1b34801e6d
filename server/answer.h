// The answer of GetRelations as wire bytes, spliced together from the entities' stored bytes
// without parsing them:
//
//   GetRelationsResponse = ( 0A length <Entity wire> )*        nodes, field 1
//                          ( 12 length <Relation wire> )*      relations, field 2
//                          18 <StopReason>                     stop_reason, field 3
//   Relation             = 0A source  12 target  1A type  22 mode  2A last_seen
//
// Byte for byte what the generated classes would serialise of the same message.
#pragma once

#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"
#include "storage/traversal.h"

namespace relations {

// One contiguous slice. INTERNAL when the answer would pass limits::kAnswerBytesMax, DATA_LOSS when
// an entity's bytes do not start with its id.
absl::StatusOr<grpc::ByteBuffer> AssembleAnswer(const ExpandedGraph& graph);

}  // namespace relations
