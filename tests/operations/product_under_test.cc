#include "tests/operations/product_under_test.h"

#include <signal.h>

#include <stdexcept>

#include "tests/ctl/run_program.h"

namespace relations {

ProductUnderTest::ProductUnderTest(const std::vector<std::string>& server_more,
                                   const std::vector<std::string>& gateway_more) {
  const std::string store = directory_ / "store";
  const std::string socket = "unix:" + (directory_ / "socket");
  server_arguments_ = {"--data",     store, "--create-if-missing", "--listen", socket,
                       "--cache-mb", "8"};
  StartServer();
  server_->Signal(SIGTERM);
  server_->Wait();
  const ProgramResult created = RunCtl({"--data", store, "sessions", "create", "--user",
                                        "7e57e57e-0000-4000-8000-000000000001", "--groups",
                                        "public", "--roles", "user", "--json"});
  const std::string member = "\"bearer\":\"";
  const size_t begin = created.out.find(member);
  if (begin == std::string::npos) throw std::runtime_error("no session: " + created.err);
  bearer_ = "Authorization: Bearer " + created.out.substr(begin + member.size(), 64) + "\r\n";
  server_arguments_.insert(server_arguments_.end(), server_more.begin(), server_more.end());
  gateway_arguments_ = {"--backend", socket};
  gateway_arguments_.insert(gateway_arguments_.end(), gateway_more.begin(), gateway_more.end());
  StartServer();
  StartGateway();
}

void ProductUnderTest::StartServer() {
  server_ = std::make_unique<ProcessUnderTest>(ServerProgram(), server_arguments_);
  if (server_->ReadAddress().empty()) throw std::runtime_error(server_->Errors());
}

void ProductUnderTest::StartGateway() {
  std::vector<std::string> arguments = {"--listen", address_};
  arguments.insert(arguments.end(), gateway_arguments_.begin(), gateway_arguments_.end());
  gateway_ = std::make_unique<ProcessUnderTest>(GatewayProgram(), arguments);
  address_ = gateway_->ReadAddress();
  if (address_.empty()) throw std::runtime_error(gateway_->Errors());
}

}  // namespace relations
