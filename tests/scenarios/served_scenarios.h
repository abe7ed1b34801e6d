// Scenarios served by the built programs: one store, one server, one gateway for all of them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/conformance/rest.h"
#include "tests/conformance/system_under_test.h"
#include "tests/scenarios/scenario.h"

namespace relations {

class ServedScenarios {
 public:
  // No two of `scenarios` may have an id in common (Marked).
  explicit ServedScenarios(const std::vector<Scenario>& scenarios);

  // The text of the answer to a question; failures are text too.
  std::string AskRpc(const ScenarioQuestion& question);
  std::string AskRest(const ScenarioQuestion& question);
  std::string AskRestForDetails(const ScenarioQuestion& question);

 private:
  // A session of the groups, made when first asked for.
  const Credential& CallerWith(const GroupSet& groups);
  RawAnswer Get(const ScenarioQuestion& question, const std::string& more_query);

  SystemUnderTest system_;
  Credential admin_;
  std::unique_ptr<RpcClient> rpc_;
  std::unique_ptr<RestClient> rest_;
  std::map<GroupSet, Credential> callers_;
};

}  // namespace relations
