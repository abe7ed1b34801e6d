#include "tests/support/seeded_workload.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/support/graph_literals.h"

namespace relations {
namespace {

constexpr uint64_t kIds = 40;
// A few requests are large.
constexpr uint64_t kPartsMax = 60;

}  // namespace

std::string SeededWorkload::AnyId() {
  static constexpr const char* kTypes[] = {"ip", "domain", "url"};
  const uint64_t number = Draw(kIds);
  return absl::StrCat(kTypes[number % 3], "-", number);
}

GroupSet SeededWorkload::AnyGroups() {
  static const std::string kGroups[] = {"g1", "g2", "g3", "public"};
  GroupSet groups = {"public"};
  if (Draw(3) == 0) groups.clear();
  for (uint64_t more = 1 + Draw(2); more > 0; --more) groups.push_back(kGroups[Draw(4)]);
  return CanonicalGroups(std::move(groups));
}

void SeededWorkload::AddPart(Mutations& request) {
  const auto entity = [&] {
    v1::Entity made = TestEntity(AnyId(), AnyGroups());
    made.set_reputation(static_cast<int>(Draw(7)) - 3);
    *made.mutable_last_seen() = TimestampOf(TestTime(static_cast<int64_t>(Draw(9))));
    // Large now and then: records that cross the blocks of a log.
    (*made.mutable_attributes())["note"].set_string_value(
        std::string(Draw(50) == 0 ? 40'000 : Draw(200), static_cast<char>('a' + Draw(26))));
    return made;
  };
  const std::string source = AnyId();
  const std::string target = AnyId();
  const std::string type = Draw(2) == 0 ? "uses" : "related-to";
  const int64_t seconds = static_cast<int64_t>(Draw(9));
  switch (Draw(16)) {
    case 0:
      request.deleted_entities.push_back({AnyId()});
      break;
    case 1:
      request.deleted_relations.push_back({{source, target, "", std::nullopt}});
      break;
    case 2:
      request.narrowed_entities.push_back({AnyId(), {"public"}});
      break;
    case 3:
    case 4:
    case 5:
      request.entity_reports.push_back({entity(), Draw(5)});
      break;
    case 6:
    case 7: {
      ReportRelation report;
      report.source = source;
      report.target = target;
      report.type = type;
      report.last_seen = TestTime(seconds);
      report.visible_by = AnyGroups();
      request.relation_reports.push_back(std::move(report));
      break;
    }
    case 8:
    case 9:
    case 10:
      request.entities.push_back({entity()});
      break;
    default:
      // Both ends come along, so that most are taken.
      request.entities.push_back({TestEntity(source, {"g1", "public"})});
      request.entities.push_back({TestEntity(target, {"g2", "public"})});
      request.relations.push_back(TestRelation(source, target, seconds, {"public"}, type));
      break;
  }
}

Mutations SeededWorkload::Next() {
  Mutations request;
  const uint64_t parts = Draw(20) == 0 ? 1 + Draw(kPartsMax) : 1 + Draw(3);
  for (uint64_t i = 0; i < parts; ++i) AddPart(request);
  v1::Entity clock = TestEntity("clock-0");
  clock.set_reputation(++step_);
  request.entities.push_back({std::move(clock)});
  return request;
}

}  // namespace relations
