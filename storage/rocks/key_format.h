// Every byte of every key and value of the store, format version 3. README.md of storage/ explains
// the layout; this file is the specification that the code follows. Older formats: 2 has no
// directories, all lists stand under keys of their own; 1 is like 2 and has no reporters and no
// revisions; neither has `changes` and "feed". format_upgrade.h and PrepareFeed of database.h make
// them version 3.
//
//   big-endian fixed integers: u32, u64      varint: LEB128, at most 10 bytes
//
//   family       key                                      value
//   meta         "created"                                text: "<format version>\n<store id>\n"
//                "next_node"                              u64
//                "relations"                              u64, number of relations
//                "entities/" type                         u64, number of entities of the type
//                "revise/" u64 node                       empty: a revision under way (below)
//                "upgrade/lists"                          empty: nodes without a directory remain
//                                                         of an older format
//                "feed"                                   text: the name of the feed (below)
//   ids          id key (below)                           u64 node
//   entities     u64 node                                 entity record (below)
//   adjacency    u64 node | u32 class | boundary          block (adjacency_block.h)
//                u64 node | ffffffff                      directory (list_directory.h)
//   relations    u64 source | u64 target                  pair record (below)
//   visibility   u32 class                                varint n | n x (varint length | group)
//   labels       u32 label                                text
//   credentials  credential_store.cc
//   changes      u64 sequence                             change record (change_record.h)
//
//   id key       'h' | 32 bytes | type       for an id "<type>-<64 lower-case hex digits>"
//                't' | id                    for any other id
//
//   entity record
//                varint (class + 2^32 * n) | varint offset | n x reporter, 8 bytes | Entity
//                Entity bytes: the serialised Entity in field order without `visible_by`; `offset`
//                is where those fields belong. The class stands for them. The reporters are the
//                first 3 distinct ones that reported it, as digests; imports leave none.
//
//   revision     A deletion or narrowing of an entity with too many relations for one batch. Its
//                first batch changes the entity's record, which hides what is to be hidden at
//                once; the relations follow, batch by batch. Until the last one "revise/" names
//                the node. To be deleted: the record's class is ffffffff, nobody's, and `ids` does
//                not lead to the node any more.
//
//   feed         The changes of each write, in as many records as are needed, numbered without a
//                gap; the oldest are dropped by and by, the newest never is. "feed" names an
//                unbroken feed, 43 random characters: a new name is given whenever the graph
//                changes in a way that `changes` does not tell (an import, a restore).
//
//   pair record  n x (u8 flags | [varint label] | varint class | 5 bytes seconds | [nanoseconds]),
//                ordered by (label, mode); seconds and nanoseconds as in an instant
//                  flags  bit  0    mode (RelationMode)
//                         bit  1    nanoseconds follow; else they are 0
//                         bits 2-7  label when it is 0 to 62; 63: the label follows
//
//   instant      5 bytes: seconds since 0001-01-01T00:00:00Z | 4 bytes: nanoseconds. Orders as
//                time.
//
//   boundary     empty for the first block of a list; else, of the first entry that the block held
//                when it was split off: inverted instant (9 bytes, all bits flipped) |
//                neighbour's id. A block holds the entries from its boundary (inclusive) to the
//                next block's.
//
// Worked example: the relations from node 1 to node 2 with one relation of label 3, association,
// class 0, seen 2023-06-15T14:30:00Z, stand at
//   00000000 00000001 00000000 00000002 -> 0C 00 0EDC1D1768
//
// Invariants:
//   1. ids and entities are inverse to each other, but for entities of class ffffffff:
//      entities[ids[id]].id == id; node 0 is never used.
//   2. next_node is larger than every node.
//   3. A relation (source, target, label, mode) stands once in its pair record, once in the list of
//      source (outgoing) and once in the list of target (incoming), under the same class and
//      instant.
//   4. The entries of a list over all its blocks are strictly ordered by (instant descending,
//      neighbour's id, direction, label, mode) and each block lies within its boundaries.
//   5. The first block of a list exists if any block of it does, and only it may be empty. A block
//      that is followed by another of its list says that one may follow.
//   6. Every class and label that is named exists; class 0 is {"public"}. Class ffffffff is named
//      by entities only, and only under revision.
//   7. The counters in meta agree with the records; entities of class ffffffff are not counted.
//   8. "revise/" names nodes that have an entity.
//   9. A node that has a list has a directory. It holds the list, or names it as one that stands
//      apart, or says that there are others. What it holds is not empty, ends there and has no keys
//      of its own; all together it holds at most kDirectoryEntriesMax entries.
//  10. "feed" is there. The numbers in `changes` have no gap, and each record counts the bytes and
//      changes of those before it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "relations/v1/relations.pb.h"
#include "storage/graph_store.h"
#include "storage/graph_types.h"

namespace relations {

inline constexpr int kFormatVersion = 3;

inline constexpr char kCreatedKey[] = "created";
inline constexpr char kNextNodeKey[] = "next_node";
inline constexpr char kRelationCountKey[] = "relations";
inline constexpr char kEntityCountPrefix[] = "entities/";
inline constexpr char kRevisionPrefix[] = "revise/";
inline constexpr char kUpgradeListsKey[] = "upgrade/lists";
inline constexpr char kFeedKey[] = "feed";

// The class of an entity that is being deleted: visible to nobody, in no table. In a list's key it
// stands for the node's directory, which so comes behind all blocks of the node.
inline constexpr ClassId kNobodyClass{UINT32_MAX};

inline constexpr size_t kReporterBytes = 8;
// More do not raise the accuracy.
inline constexpr size_t kReportersMax = 3;

// --- Building blocks. Get* consume from the front of `*input`; false, with `*input` unspecified,
// when the bytes are not of that form.

void PutU32(uint32_t value, std::string& out);
void PutU64(uint64_t value, std::string& out);
bool GetU32(absl::string_view* input, uint32_t* value);
bool GetU64(absl::string_view* input, uint64_t* value);

inline constexpr size_t kInstantBytes = 9;
// REQUIRES: IsTimestamp(time).
void PutInstant(absl::Time time, std::string& out);
bool GetInstant(absl::string_view* input, absl::Time* time);

// --- Keys.

std::string IdKey(absl::string_view id);
// The id that an id key stands for; DATA_LOSS when it is none.
absl::StatusOr<std::string> IdOfKey(absl::string_view key);

inline constexpr size_t kNodeKeyBytes = 8;
std::string NodeKey(NodeId node);
absl::StatusOr<NodeId> NodeOfKey(absl::string_view key);

inline constexpr size_t kListKeyBytes = 12;
// The key of the first block of a list.
std::string ListKey(NodeId node, ClassId visibility);

// The key of a node's directory.
std::string DirectoryKey(NodeId node);

struct AdjacencyKey {
  NodeId node{};
  // Of a directory kNobodyClass.
  ClassId visibility{};
  // A view into the parsed key; empty for the first block and a directory.
  absl::string_view boundary;

  bool is_directory() const { return visibility == kNobodyClass; }
};
absl::StatusOr<AdjacencyKey> ParseAdjacencyKey(absl::string_view key);

// The boundary for an entry with this instant and neighbour. Boundaries order as lists do.
std::string Boundary(absl::Time last_seen, absl::string_view neighbour_id);

std::string PairKey(NodeId source, NodeId target);
absl::StatusOr<NodePair> PairOfKey(absl::string_view key);

std::string ClassKey(ClassId visibility);
std::string LabelKey(LabelId label);
// The key in `meta` of a revision, and the node that it names.
std::string RevisionKey(NodeId node);
absl::StatusOr<NodeId> NodeOfRevisionKey(absl::string_view key);
absl::StatusOr<uint32_t> NumberOfKey(absl::string_view key);

// --- Values.

std::string EncodeNumber(uint64_t number);
absl::StatusOr<uint64_t> DecodeNumber(absl::string_view value);

std::string EncodeGroups(const GroupSet& groups);
absl::StatusOr<GroupSet> DecodeGroups(absl::string_view value);

std::string EncodePairRelations(const std::vector<PairRelation>& relations);
absl::StatusOr<std::vector<PairRelation>> DecodePairRelations(absl::string_view value);

// The record of an entity; `entity.visible_by` is not looked at, `visibility` stands for it.
// `reporters` is as in EntityRecord, whole numbers of kReporterBytes.
std::string EncodeEntityRecord(const relations::v1::Entity& entity, ClassId visibility,
                               absl::string_view reporters = {});
// The views point into `value`.
absl::StatusOr<EntityRecord> DecodeEntityRecord(absl::string_view value);

}  // namespace relations
