// SPDX-License-Identifier: Apache-2.0
#include "builder/cache_server/http/connection.h"

#include "builder/cache_server/http/request_head.h"

#include <algorithm>
#include <cctype>
#include <limits>
#include <optional>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace mybuild::cache_server {

namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::buffer_body>;

/// A body must come with so many bytes a second on the whole, once it has had a minute.
constexpr double kLeastRate = 1024;
constexpr std::size_t kHeadPart = 16 << 10;
constexpr std::size_t kLargeAnswer = 16 << 10;
constexpr std::uint32_t kHeadLimit = 32 << 10;
constexpr std::size_t kBodyPart = 256 << 10;
constexpr std::chrono::milliseconds kShortestWait{10};
constexpr std::uint64_t kDrainLimit = 64 << 10;

/// Bytes that came and are not used up yet. Gives its memory back when it is empty.
class Input {
 public:
  std::string_view unread() const {
    return std::string_view(bytes_.data(), bytes_.size()).substr(begin_);
  }
  void consume(std::size_t count) { begin_ += count; }
  void append(std::string_view more) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
    begin_ = 0;
    bytes_.insert(bytes_.end(), more.begin(), more.end());
  }
  /// Of what is there only this; it may be a part of unread().
  void keep(std::string_view rest) {
    bytes_ = std::vector<char>(rest.begin(), rest.end());
    begin_ = 0;
  }
  void release() {
    if (begin_ == bytes_.size()) {
      *this = Input();
    }
  }

 private:
  std::vector<char> bytes_;
  std::size_t begin_ = 0;
};

class Connection {
 public:
  Connection(std::unique_ptr<Channel> channel, std::shared_ptr<Peer> peer,
             const ConnectionDeps& deps)
      : channel_(std::move(channel)), peer_(std::move(peer)), deps_(deps) {}

  awaitable<void> run() {
    if (!co_await channel_->greet()) {
      co_return;
    }
    while (!deps_.is_stopping) {
      peer_->expect_within(deps_.settings.idle_time);
      peer_->set_idle(true);
      input_.release();
      if (input_.unread().empty()) {
        const bool is_there = co_await channel_->readable();
        if (!is_there) {
          co_return;
        }
      }
      peer_->expect_within(deps_.settings.head_time);
      if (!co_await serve_one()) {
        co_return;
      }
    }
  }

 private:
  /// False when the connection is over.
  awaitable<bool> serve_one() {
    served_ = {};
    payer_.clear();
    began_ = SteadyClock::now();
    keep_alive_ = false;
    is_head_ = false;
    Parser parser;
    parser.header_limit(kHeadLimit);
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // the handlers' business
    boost::system::error_code error;
    if (!co_await read_head(parser, error)) {
      co_return false;
    }
    peer_->set_idle(false);
    const std::optional<Answer> bad = error ? std::optional(answer_to(error)) : check(parser);
    if (bad) {
      co_return co_await respond(*bad, false);
    }
    keep_alive_ = parser.keep_alive() && parser.get().version() == 11 && !deps_.is_stopping;
    const std::unique_ptr<Exchange> exchange = deps_.handler.begin(request_of(parser));
    co_return co_await serve(parser, *exchange);
  }

  /// False when there is nobody left to answer.
  awaitable<bool> read_head(Parser& parser, boost::system::error_code& error) {
    while (!parser.is_header_done()) {
      if (input_.unread().empty() || error == http::error::need_more) {
        const std::string_view more = co_await channel_->read_shared(kHeadPart);
        if (more.empty()) {
          co_return false;
        }
        input_.append(more);
      }
      error = {};
      const std::string_view unread = input_.unread();
      input_.consume(parser.put(asio::const_buffer(unread.data(), unread.size()), error));
      if (error && error != http::error::need_more) {
        co_return true;
      }
    }
    error = {};
    co_return true;
  }

  static Answer answer_to(const boost::system::error_code& error) {
    if (error == http::error::header_limit) {
      return error_answer(431, "UNSUPPORTED", "the headers of the request are too long");
    }
    if (error == http::error::bad_version) {
      return error_answer(505, "UNSUPPORTED", "this server speaks HTTP/1.1");
    }
    return error_answer(400, "UNSUPPORTED", "that is no HTTP request: " + error.message());
  }

  /// What could be read in two ways is refused (RFC 9112, 6.3).
  static std::optional<Answer> check(const Parser& parser) {
    const auto& head = parser.get();
    if (head.count(http::field::content_length) > 0 &&
        head.count(http::field::transfer_encoding) > 0) {
      return error_answer(400, "UNSUPPORTED", "both Content-Length and Transfer-Encoding");
    }
    if (head.count(http::field::transfer_encoding) > 0 && !parser.chunked()) {
      return error_answer(501, "UNSUPPORTED", "the only transfer encoding is chunked");
    }
    if (head.version() != 11 && head.version() != 10) {
      return error_answer(505, "UNSUPPORTED", "this server speaks HTTP/1.1");
    }
    Request request;
    if (!set_target(request, {head.target().data(), head.target().size()})) {
      return error_answer(400, "UNSUPPORTED", "the address in the request is not well-formed");
    }
    return std::nullopt;
  }

  Request request_of(const Parser& parser) {
    const auto& head = parser.get();
    Request request;
    request.method.assign(head.method_string().data(), head.method_string().size());
    set_target(request, {head.target().data(), head.target().size()});
    for (const auto& field : head) {
      std::string name(field.name_string().data(), field.name_string().size());
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      request.headers[name].assign(field.value().data(), field.value().size());
    }
    if (const auto length = parser.content_length()) {
      request.body_size = *length;
    } else if (!parser.chunked()) {
      request.body_size = 0;
    }
    request.host = request.header("host");
    request.is_tls = channel_->is_tls();
    payer_ = payer_of(request);
    is_head_ = request.method == "HEAD";
    served_.method = request.method;
    served_.path = request.path;
    return request;
  }

  /// By the token, whatever user name comes with it; who needs none, by where he is.
  std::string payer_of(const Request& request) const {
    std::string token = token_in(request.header("authorization"));
    return token.empty() || token == kAnonymous ? peer_->address() : token;
  }

  awaitable<bool> serve(Parser& parser, Exchange& exchange) {
    const std::uint64_t announced = parser.content_length().value_or(0);
    if (const std::optional<Answer> refusal = exchange.refusal()) {
      const bool is_small = !parser.chunked() && announced <= kDrainLimit && !expects(parser);
      bool is_drained = false;
      if (keep_alive_ && is_small) {
        is_drained = co_await drain(announced);
      }
      keep_alive_ = is_drained;
      co_return co_await respond(*refusal, keep_alive_);
    }
    BodyMemory::Share memory(deps_.memory, payer_);
    if (expects(parser)) {
      const bool is_asked = co_await channel_->write("HTTP/1.1 100 Continue\r\n\r\n");
      if (!is_asked) {
        co_return false;
      }
    }
    Body body = Body::Whole;
    if (parser.chunked()) {
      body = co_await take_chunked(parser, exchange, memory);
    } else {
      body = co_await take_sized(announced, exchange, memory);
    }
    if (body == Body::Broken) {
      co_return false;
    }
    if (body == Body::TooMuch) {
      co_return co_await respond(too_busy(), false);
    }
    keep_alive_ = keep_alive_ && body == Body::Whole;
    Outcome outcome = exchange.finish();
    if (Answer* answer = std::get_if<Answer>(&outcome)) {
      co_return co_await respond(*answer, keep_alive_);
    }
    co_return co_await respond_later(*std::get<std::unique_ptr<PendingAnswer>>(outcome));
  }

  static bool expects(const Parser& parser) {
    const auto value = parser.get()[http::field::expect];
    return boost::beast::iequals(value, "100-continue");
  }

  enum class Body { Whole, Refused, TooMuch, Broken };

  /// One piece of the body. Who gathers grows by doubling.
  Body take(std::string_view part, Exchange& exchange, BodyMemory::Share& memory) {
    served_.bytes_in += part.size();
    if (exchange.memory() > 0 && !memory.hold(2 * served_.bytes_in)) {
      return Body::TooMuch;
    }
    return exchange.write(as_bytes(part)) ? Body::Whole : Body::Refused;
  }

  awaitable<Body> take_sized(std::uint64_t left, Exchange& exchange, BodyMemory::Share& memory) {
    const auto since = SteadyClock::now();
    while (left > 0) {
      const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(left, kBodyPart));
      std::string_view part = input_.unread().substr(0, most);
      input_.consume(part.size());
      if (part.empty()) {
        input_.release();
        expect_more(since);
        part = co_await channel_->read_shared(most);
        if (part.empty()) {
          co_return Body::Broken;
        }
      }
      if (const Body taken = take(part, exchange, memory); taken != Body::Whole) {
        co_return taken;
      }
      left -= part.size();
    }
    co_return Body::Whole;
  }

  awaitable<Body> take_chunked(Parser& parser, Exchange& exchange, BodyMemory::Share& memory) {
    const auto since = SteadyClock::now();
    std::string_view unread = input_.unread();
    for (;;) {
      const Body taken = take_chunks(parser, unread, exchange, memory);
      input_.keep(unread);
      if (taken != Body::Whole || parser.is_done()) {
        co_return taken;
      }
      if (unread.size() > kHeadLimit) {
        co_return Body::Broken;  // one line of a chunk's head
      }
      expect_more(since);
      const std::string_view more = co_await channel_->read_shared(kBodyPart);
      if (more.empty()) {
        co_return Body::Broken;
      }
      unread = more;
      if (!input_.unread().empty()) {
        input_.append(more);
        unread = input_.unread();
      }
    }
  }

  /// As far as it comes with what is there; `unread` is what is left.
  Body take_chunks(Parser& parser, std::string_view& unread, Exchange& exchange,
                   BodyMemory::Share& memory) {
    const std::span<char> room = scratch(Scratch::Output);
    bool goes_on = !unread.empty();
    while (goes_on && !parser.is_done()) {
      parser.get().body().data = room.data();
      parser.get().body().size = room.size();
      boost::system::error_code error;
      const std::size_t used = parser.put(asio::const_buffer(unread.data(), unread.size()), error);
      unread.remove_prefix(used);
      const std::size_t got = room.size() - parser.get().body().size;
      const std::string_view part(room.data(), got);
      const Body taken = part.empty() ? Body::Whole : take(part, exchange, memory);
      if (taken != Body::Whole) {
        return taken;
      }
      if (error && error != http::error::need_more && error != http::error::need_buffer) {
        return Body::Broken;
      }
      goes_on = error != http::error::need_more && !unread.empty();
    }
    return Body::Whole;
  }

  awaitable<bool> drain(std::uint64_t size) {
    class Nothing final : public Exchange {
     public:
      Status write(ByteSpan) override { return {}; }
      Outcome finish() override { return Answer(); }
    } nothing;
    BodyMemory::Share memory(deps_.memory, payer_);
    co_return co_await take_sized(size, nothing, memory) == Body::Whole;
  }

  /// The time for the next bytes: a minute, and no more once the body has been slow on the whole.
  void expect_more(SteadyClock::time_point since) {
    const std::chrono::duration<double> passed = SteadyClock::now() - since;
    const bool is_slow = passed > deps_.settings.stall_time &&
                         static_cast<double>(served_.bytes_in) < kLeastRate * passed.count();
    peer_->expect_within(is_slow ? std::chrono::seconds(0) : deps_.settings.stall_time);
  }

  awaitable<bool> respond_later(PendingAnswer& pending) {
    // Whoever wakes may still hold on to this when the connection is gone.
    const auto timer = std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor);
    pending.subscribe([weak = std::weak_ptr(timer)] {
      if (const auto alive = weak.lock()) {
        asio::post(alive->get_executor(), [alive] { alive->cancel(); });
      }
    });
    for (;;) {
      const std::optional<Answer> answer = pending.poll();
      if (answer) {
        co_return co_await respond(*answer, keep_alive_);
      }
      const auto now = SteadyClock::now();
      timer->expires_at(std::max(pending.deadline(), now + kShortestWait));
      peer_->expect_within(
          deps_.settings.stall_time +
          std::chrono::duration_cast<std::chrono::seconds>(pending.deadline() - now));
      boost::system::error_code woken;
      co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }

  awaitable<bool> respond(const Answer& answer, bool keep_alive) {
    const bool is_large = answer.body.index() == 0 && answer.body_size() > kLargeAnswer;
    BodyMemory::Share memory(deps_.memory, payer_);
    if (is_large && !memory.hold(answer.body_size())) {
      co_return co_await send(too_busy(), keep_alive);
    }
    co_return co_await send(answer, keep_alive);
  }

  static Answer too_busy() {
    Answer busy = error_answer(503, "UNAVAILABLE", "too many large requests at once");
    return busy.with("Retry-After", "1");
  }

  awaitable<bool> send(const Answer& answer, bool keep_alive) {
    peer_->expect_within(deps_.settings.stall_time);
    std::string head = head_of(answer, keep_alive);
    const std::string* text = std::get_if<std::string>(&answer.body);
    if (!is_head_ && text != nullptr) {
      head += *text;
    }
    bool is_sent = co_await channel_->write(head);
    if (is_sent && !is_head_ && text == nullptr) {
      is_sent = co_await channel_->write(std::get<BlobRange>(answer.body));
    }
    report(answer);
    if (is_sent && !keep_alive) {
      co_await channel_->finish();
    }
    co_return is_sent&& keep_alive;
  }

  void report(const Answer& answer) {
    served_.status = answer.status;
    served_.bytes_out = is_head_ ? 0 : answer.body_size();
    served_.duration = SteadyClock::now() - began_;
    served_.note = answer.note;
    deps_.on_served(served_);
  }

  const std::unique_ptr<Channel> channel_;
  const std::shared_ptr<Peer> peer_;
  const ConnectionDeps& deps_;
  Input input_;
  Served served_;
  std::string payer_;  // of the request that is served
  SteadyClock::time_point began_{};
  bool keep_alive_ = false;
  bool is_head_ = false;
};

}  // namespace

awaitable<void> serve_connection(std::unique_ptr<Channel> channel, std::shared_ptr<Peer> peer,
                                 const ConnectionDeps& deps) {
  Connection connection(std::move(channel), std::move(peer), deps);
  co_await connection.run();
}

}  // namespace mybuild::cache_server
