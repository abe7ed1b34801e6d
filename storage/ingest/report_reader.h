// From what a reporter says (relations/v1/ingest.proto) to what changes in the graph: validates,
// brings values into their normal form, makes ids, works out who may see what.
//
//   ReportReader reader(reporter);
//   for (const v1::Report& report : request.reports()) RETURN_IF_ERROR(reader.Add(report));
//   queue.Apply(std::move(reader.mutations()), ...);
//
// Errors are public ones: INVALID_ARGUMENT, or PERMISSION_DENIED for a group that the reporter does
// not hold and a tag that he must not give. They name the place in the request by its member names
// and numbers ("associations[2].tags") and repeat nothing else of it. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "relations/v1/ingest.pb.h"
#include "storage/graph_types.h"
#include "storage/mutations.h"

namespace relations {

struct Reporter {
  // Who: reports of the same user count once for accuracy.
  std::string user_id;
  // Canonical.
  GroupSet groups;
  // May say that an entity is well known.
  bool trusted = false;
  // When the report came: what it tells was last seen then.
  absl::Time now;
};

class ReportReader {
 public:
  explicit ReportReader(Reporter reporter);

  // Each adds one report; after an error the mutations are of no use.
  absl::Status Add(const v1::Report& report);
  absl::Status Add(const v1::EntityReport& report);
  absl::Status Add(const v1::AssociationReport& report);

  Mutations& mutations() { return mutations_; }
  // The entity reported first, or the one related to; empty when there is none. For logs.
  const std::string& subject() const { return subject_; }

 private:
  struct Named {
    std::string id;
    GroupSet visible_by;
  };

  absl::StatusOr<Named> AddEntity(const v1::EntityReport& report, const std::string& where,
                                  int depth);
  absl::Status AddCorrelated(const v1::EntityReport& report, const Named& parent,
                             const std::string& where);
  absl::Status AddRelation(const Named& parent, const Named& child, RelationMode mode,
                           const std::string& where);
  absl::Status ReadAttributes(const v1::EntityReport& report, const std::string& where,
                              v1::Entity& entity) const;
  absl::Status ReadTags(const v1::EntityReport& report, const std::string& where,
                        v1::Entity& entity) const;
  absl::StatusOr<GroupSet> ReadGroups(const v1::EntityReport& report,
                                      const std::string& where) const;
  // Adds an entity with its id and times set.
  absl::Status Report(v1::Entity entity);

  const Reporter reporter_;
  const uint64_t reporter_digest_;
  Mutations mutations_;
  std::string subject_;
};

// Stands for a reporter in the store: the first 8 bytes of the SHA-256 of his user id.
uint64_t ReporterDigest(const std::string& user_id);

}  // namespace relations
