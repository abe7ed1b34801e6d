// Every limit of the system in one table, with its unit and its reason. A limit named here has a
// defined answer when it is passed and a test at the limit and one past it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace relations::limits {

// Entity ids: the longest type and a 64-digit hash fit well below this; anything longer is no id.
inline constexpr size_t kEntityIdBytesMin = 3;
inline constexpr size_t kEntityIdBytesMax = 128;

// GetRelations: entities besides the root, and hops. Larger values mean the maximum.
inline constexpr int kRelatedEntitiesDefault = 50;
inline constexpr int kRelatedEntitiesMax = 100;
inline constexpr int kLevelsDefault = 3;
inline constexpr int kLevelsMax = 5;

// The filter `types`: more entries than there are entity types say nothing more.
inline constexpr size_t kTypesMax = 64;
inline constexpr size_t kTypeBytesMax = 64;

// Credentials: visible ASCII characters of a key, a secret or a token.
inline constexpr size_t kCredentialBytesMax = 512;
// A token of three parts with dots between, which tells of its user itself.
inline constexpr size_t kJwtBytesMax = 8192;
inline constexpr size_t kUserIdBytesMax = 128;
inline constexpr size_t kCredentialNameBytesMax = 128;
inline constexpr size_t kRoleBytesMax = 64;
inline constexpr int kCredentialDaysMax = 3650;

// Groups: of a name, of one entity or relation, of one principal.
inline constexpr size_t kGroupBytesMax = 128;
inline constexpr size_t kVisibleByMax = 32;
inline constexpr size_t kPrincipalGroupsMax = 1024;

// Records: a value of an attribute, tags, attributes of one entity, and the record in all.
inline constexpr size_t kValueBytesMax = 65536;
inline constexpr size_t kTagsMax = 64;
inline constexpr size_t kTagBytesMax = 256;
inline constexpr size_t kAttributesMax = 256;
inline constexpr size_t kEntityRecordBytesMax = 1 << 20;
// Relation types are labels, not text: they are interned and held in memory.
inline constexpr size_t kRelationTypeBytesMax = 128;
// Relations of different type or mode from one entity to another one.
inline constexpr size_t kRelationsPerPairMax = 256;

// Relations that one batch of a deletion or narrowing changes; more take several batches. A batch
// holds up all other writes: this many cost about 0.2 s.
inline constexpr size_t kRevisionStepRelations = 4096;

// Ingest: entities of one request, those of `correlate` included; how deep associations nest; the
// body over HTTP. A stream has at most so much that is not acknowledged, and there are so many.
inline constexpr size_t kReportEntitiesMax = 1000;
inline constexpr int kReportDepthMax = 8;
inline constexpr size_t kIngestBodyBytesMax = 1 << 20;
inline constexpr size_t kStreamRequestsMax = 1024;
inline constexpr size_t kStreamBytesMax = 4 << 20;
inline constexpr size_t kStreamsMax = 32;
// The name of an attribute.
inline constexpr size_t kAttributeNameBytesMax = 128;

// The queue of writes: requests and bytes that wait, and of one group. A group of a thousand
// spreads the cost of its sync thin and takes some 20 ms.
inline constexpr size_t kWriteQueueRequestsMax = 65536;
inline constexpr size_t kWriteQueueBytesMax = 256 << 20;
inline constexpr size_t kWriteGroupRequestsMax = 1024;
inline constexpr size_t kWriteGroupBytesMax = 16 << 20;

// gRPC: an ingest body of kIngestBodyBytesMax has at most this many bytes as a message.
inline constexpr int kRequestBytesMax = 4 << 20;
// gRPC: an answer of 101 entities at the record limit would be larger, and is refused whole.
inline constexpr int kAnswerBytesMax = 64 << 20;

// HTTP front.
inline constexpr size_t kHttpHeaderBytesMax = 16 << 10;
inline constexpr size_t kHttpUriBytesMax = 8 << 10;
// A body on GET is read and dropped up to this size.
inline constexpr size_t kHttpDrainedBodyBytesMax = 64 << 10;
inline constexpr size_t kRequestIdBytesMax = 64;
inline constexpr size_t kErrorMessageBytesMax = 256;

// Import: one line of JSON Lines, one document of STIX or MISP (both are read whole).
inline constexpr size_t kImportLineBytesMax = 16 << 20;
inline constexpr uint64_t kImportDocumentBytesMax = uint64_t{1} << 30;
// Values of one such document, which cost 8 to 16 bytes each beside its text.
inline constexpr uint64_t kImportDocumentValuesMax = uint64_t{1} << 26;
// STIX objects of one import, which are one set and held together, about 1.5 KiB each.
inline constexpr size_t kImportStixObjectsMax = 2'000'000;
// Relations of one such set or of one MISP document, about 80 bytes each.
inline constexpr size_t kImportDraftRelationsMax = 20'000'000;
// Pairs of entities that one STIX statement may relate, and entities that one object stands for: a
// few lists of thousands would else be billions of relations.
inline constexpr size_t kImportPairsMax = 65536;
// A STIX pattern: 60,000 hashes fit; brackets within brackets of it.
inline constexpr size_t kImportPatternBytesMax = 4 << 20;
inline constexpr int kImportPatternDepthMax = 64;
// Kinds of skipped things that are counted by name, and bytes of such a name.
inline constexpr size_t kImportKindsMax = 1000;
inline constexpr size_t kImportKindBytesMax = 128;

}  // namespace relations::limits
