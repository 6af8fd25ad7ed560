// SPDX-License-Identifier: Apache-2.0
// ServerLink: all that goes to one cache server during one build. It puts the token on requests to
// that server and on no other, gives each an end in time, and notices when the server is no help:
// then it is left alone for the rest of the build, and every request fails at once. What steps wait
// for is kept small by itself: answers are awaited as long as earlier ones took, a few times over,
// and a server whose answers cost the build more than a small part of its time is asked less.
// Thread-safe.
#pragma once

#include "builder/cache_client/address.h"
#include "builder/cache_client/busy_time.h"
#include "builder/registry/hosts/host_table.h"
#include "builder/registry/transport.h"
#include "snapshotter/base/guarded.h"
#include "snapshotter/oci/descriptor.h"
#include "solver/progress.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace mybuild::cache_client {

class ServerLink final : public registry::Transport {
 public:
  struct Deps {
    registry::Transport& transport;
    solver::EventSink& events;
    std::shared_ptr<const registry::TlsSettings> tls = {};
  };
  ServerLink(ServerAddress address, Deps deps)
      : address_(std::move(address)), deps_(std::move(deps)) {}

  const ServerAddress& address() const { return address_; }
  /// Before the first request.
  void set_token(std::string token) { token_.lock()->swap(token); }
  std::string token() {
    const auto token = token_.lock();
    return *token;
  }

  /// A request of a registry client, with the limits of a transfer.
  Result<registry::Response> send(const registry::Request& request, registry::BodySink& body,
                                  const Cancel& cancel) override;

  enum class Need {
    Step,    // a step waits for the answer
    Beside,  // nobody does
  };
  /// POST /cache/v1/<verb>/<space>. `extra`: how long the server may think, beyond what an answer
  /// usually takes. Denied for a 401 or 403, NotFound for a 404, Unavailable for all that may be
  /// otherwise later.
  Result<std::string> post(std::string_view verb, const std::string& space, std::string message,
                           Need need, const Cancel& cancel,
                           std::chrono::milliseconds extra = std::chrono::milliseconds(0));
  /// GET of a blob, checked by size and digest; gone on with once where it breaks. A server that
  /// stops for seconds in the middle of one is left alone.
  Status download(const std::string& space, const oci::Descriptor& blob, Sink& sink,
                  std::chrono::milliseconds limit, const Cancel& cancel);

  /// Sends a blob in one request (distribution spec, "Single POST"). False when the server wants it
  /// in several.
  Result<bool> upload_at_once(const std::string& space, const Digest& digest, std::string bytes,
                              const Cancel& cancel);

  /// The server is left alone.
  bool is_closed() const { return closed_.load(std::memory_order_acquire); }
  /// A step may be held up by one more question.
  bool may_ask() const;
  /// Steps have waited for answers so long by now that it is a large part of the build, and
  /// `saved`, what they may have been spared, is less: then is_slow() from now on, and the user
  /// hears of it.
  void weigh(std::chrono::milliseconds saved);
  /// No step is to wait for it any more. What nobody waits for may go on.
  bool is_slow() const { return slow_.load(std::memory_order_acquire); }
  /// Of the build, without what its steps have waited.
  std::chrono::milliseconds time_of_build() const;
  /// Leaves it alone from now on, and says why.
  void close(const Error& why);
  /// The same for who has said it in other words.
  void leave() { closed_ = true; }
  /// The user heard of something that we may not do.
  bool has_told() const { return told_; }
  /// What a server says that never once answered as it should, when nothing was said of it by now;
  /// else "".
  std::string complaint();

 private:
  using Milliseconds = std::chrono::milliseconds;
  registry::Request prepared(registry::Request request);
  Milliseconds patience() const;
  Milliseconds most_wait() const;
  Result<std::string> answer(const Result<registry::Response>& response, std::string_view what,
                             const std::string& text);
  void note(const Result<registry::Response>& response, const Cancel& cancel);
  void note_wait(const Result<registry::Response>& response, Milliseconds took,
                 const Cancel& cancel);
  Error refusal(const registry::Response& response, std::string_view what);
  void tell_once(const Error& refused);

  const ServerAddress address_;
  const Deps deps_;
  Guarded<std::string> token_;
  std::atomic<bool> closed_{false};
  std::atomic<bool> slow_{false};
  std::atomic<bool> told_{false};
  std::atomic<int> failures_{0};  // in a row
  std::atomic<bool> has_answered_{false};
  std::atomic<bool> has_served_{false};  // with success
  Guarded<std::string> last_failure_;
  std::atomic<std::int64_t> usual_ms_{0};  // what an answer takes
  BusyTime waits_;                         // of steps for answers
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace mybuild::cache_client
