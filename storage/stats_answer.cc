#include "storage/stats_answer.h"

namespace relations {

v1::GetStatsResponse StatsAnswer(const GraphStats& stats) {
  v1::GetStatsResponse answer;
  answer.set_entities(stats.entities);
  answer.mutable_entities_by_type()->insert(stats.entities_by_type.begin(),
                                            stats.entities_by_type.end());
  answer.set_relations(stats.relations);
  answer.mutable_bytes_by_family()->insert(stats.bytes_by_family.begin(),
                                           stats.bytes_by_family.end());
  v1::Degrees& degrees = *answer.mutable_degrees();
  degrees.set_sampled(stats.degrees.sampled);
  degrees.set_median(stats.degrees.median);
  degrees.set_p90(stats.degrees.p90);
  degrees.set_p99(stats.degrees.p99);
  degrees.set_most(stats.degrees.most);
  for (const auto& [name, cache] : stats.caches) {
    v1::CacheUse& use = (*answer.mutable_caches())[name];
    use.set_capacity_bytes(cache.capacity_bytes);
    use.set_bytes(cache.bytes);
    use.set_hits(cache.hits);
    use.set_misses(cache.misses);
  }
  return answer;
}

}  // namespace relations
