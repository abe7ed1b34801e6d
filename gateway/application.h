// What a connection needs to know of the application behind it.
#pragma once

#include <functional>
#include <memory>

#include "gateway/http_error.h"
#include "gateway/http_message.h"
#include "gateway/upstream.h"

namespace relations::gateway {

// Thread-safe.
class Application {
 public:
  // Called exactly once, on any thread, perhaps before Answer returns.
  using Respond = std::function<void(HttpAnswer)>;

  virtual ~Application() = default;

  // Answers a request. The result, if any, cancels the work behind the answer when the client has
  // left.
  virtual std::shared_ptr<PendingCall> Answer(HttpRequest request, Respond respond) = 0;

  // The answer to what is no acceptable request; the connection closes after it. `request` holds
  // what could be read.
  virtual HttpAnswer Refuse(const Failure& failure, const HttpRequest& request) = 0;

  // From now on the readiness probe fails.
  virtual void BeginDrain() = 0;

  // Returns when no Respond runs or will run. REQUIRES: Answer is not called any more.
  virtual void WaitUntilIdle() = 0;
};

}  // namespace relations::gateway
