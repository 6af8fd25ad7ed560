// SPDX-License-Identifier: Apache-2.0
#include "builder/run/container_store.h"

#include "builder/run/names.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

namespace mybuild::run {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

class ContainerStoreTest : public testing::Test {
 protected:
  ContainerStoreTest() { open(); }

  /// As a process that has just started sees it.
  void open() {
    volumes_ = make_volume_store(path("volumes"), path("trash"), clock_);
    store_ = make_container_store({.dir = path("containers"), .trash_dir = path("trash")},
                                  *volumes_, clock_);
  }

  static ContainerRecord record(const std::string& name, bool auto_remove = false) {
    ContainerRecord record;
    record.id = new_id().value();
    record.name = name;
    record.image = "image:v1";
    record.auto_remove = auto_remove;
    record.plan.argv = {"program"};
    return record;
  }

  /// A container that ran and ended with `code`.
  std::string stopped(const std::string& name, int code = 0) const {
    auto owned = store_->create(record(name)).value();
    EXPECT_TRUE(owned->begin());
    EXPECT_TRUE(owned->end({.status = ContainerStatus::Exited, .exit_code = code, .error = {}}));
    return owned->record().id;
  }

  /// Does `work` in a process that ends by SIGKILL.
  static void killed(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
      work();
      ::kill(::getpid(), SIGKILL);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }

  /// A container whose owner was killed, and whose last process dies only after `time`.
  void dying(const std::string& name, std::chrono::milliseconds time, bool auto_remove = false) {
    killed([&] {
      OwnedContainer* owned = store_->create(record(name, auto_remove)).value().release();
      (void)owned->begin();
      Pipe ready = sys::pipe().value();
      if (::fork() == 0) {
        // As an executed helper: it has the run lock, and nothing else of the owner's.
        const auto held = static_cast<unsigned>(owned->signals());
        constexpr unsigned kLast = 1000;
        ::fcntl(ready.write_end.get(), F_DUPFD, kLast);
        ::close_range(3, held - 1, 0);
        ::close_range(held + 1, kLast - 1, 0);
        ::close_range(kLast, ~0U, 0);  // the pipe, which says that this is done
        std::this_thread::sleep_for(time);
        ::_exit(0);
      }
      ready.write_end.reset();
      (void)sys::read_to_end(ready.read_end.get());
    });
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Container& container : store_->list().value()) {
      names.push_back(container.record.name);
    }
    return names;
  }
  std::string path(const std::string& name) const { return join_path(dir_.path(), name); }
  std::vector<std::string> in(const std::string& name) const {
    const Fd fd = sys::open(path(name), O_RDONLY | O_DIRECTORY).value();
    std::vector<std::string> names = sys::list_dir(fd.get()).value();
    std::erase_if(names, [](const std::string& entry) { return entry.starts_with('.'); });
    return names;
  }

  TempDir dir_ = TempDir::create().value();
  FixedClock clock_{Time(1000s)};
  std::unique_ptr<VolumeStore> volumes_;
  std::unique_ptr<ContainerStore> store_;
};

TEST_F(ContainerStoreTest, AContainerIsRunningWhileItIsOwnedAndThenStopped) {
  auto owned = store_->create(record("box")).value();
  ASSERT_TRUE(owned->begin());
  EXPECT_TRUE(store_->find("box")->running());
  ASSERT_TRUE(owned->end({.status = ContainerStatus::Exited, .exit_code = 7, .error = {}}));
  const Container container = store_->find("box").value();
  EXPECT_EQ(container.state.status, ContainerStatus::Exited);
  EXPECT_EQ(container.state.exit_code, 7);
  EXPECT_EQ(container.record.image, "image:v1");
  EXPECT_EQ(container.record.created, clock_.now());
  EXPECT_THAT(container.record.plan.argv, ElementsAre("program"));
}

TEST_F(ContainerStoreTest, AnIncompleteContainerGoesWithItsOwner) {
  { const auto owned = store_->create(record("box")).value(); }
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(in("containers"), IsEmpty());
  EXPECT_THAT(in("trash"), IsEmpty());
  EXPECT_TRUE(store_->create(record("box")));
}

TEST_F(ContainerStoreTest, ANameIsTakenUntilItsContainerIsRemoved) {
  const std::string id = stopped("box");
  const auto second = store_->create(record("box"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind(), ErrorKind::AlreadyExists);
  EXPECT_EQ(second.error().message(),
            "the container name box is in use by container " + id.substr(0, 12));
  ASSERT_TRUE(store_->remove("box", {}));
  EXPECT_TRUE(store_->create(record("box")));
}

TEST_F(ContainerStoreTest, WhoGivesNoNameGetsOneOfTwoWords) {
  const auto owned = store_->create(record("")).value();
  EXPECT_THAT(owned->record().name, testing::MatchesRegex("[a-z]+_[a-z]+"));
  EXPECT_EQ(store_->create(record("a b")).error().message(), "invalid container name \"a b\"");
  EXPECT_EQ(store_->create(record("../x")).error().kind(), ErrorKind::InvalidArgument);
}

TEST_F(ContainerStoreTest, AContainerIsFoundByNameIdAndTheStartOfItsId) {
  const std::string id = stopped("box");
  for (const std::string& text : {std::string("box"), id, id.substr(0, 12), id.substr(0, 6)}) {
    EXPECT_EQ(store_->find(text)->record.id, id) << text;
  }
  for (const char* text : {"", "bo", "../containers", "zz"}) {
    EXPECT_EQ(store_->find(text).error().kind(), ErrorKind::NotFound) << text;
  }
}

TEST_F(ContainerStoreTest, OneOwnerAtATime) {
  stopped("box");
  auto owned = store_->take("box").value();
  EXPECT_EQ(store_->take("box").error().message(), "container box is running");
  EXPECT_EQ(store_->remove("box", {}).error().message(), "container box is running");
  owned.reset();
  EXPECT_TRUE(store_->take("box"));
  EXPECT_THAT(names(), ElementsAre("box"));
}

TEST_F(ContainerStoreTest, AKilledOwnerLeavesAStoppedContainerWithItsFiles) {
  killed([&] {
    OwnedContainer* owned = store_->create(record("box")).value().release();
    (void)write_file(join_path(owned->path(), "file"), "kept");
    (void)owned->begin();
  });
  const Container container = store_->find("box").value();
  EXPECT_EQ(container.state.status, ContainerStatus::Exited);
  EXPECT_EQ(container.state.exit_code, 137);
  EXPECT_EQ(read_file(join_path(store_->take("box").value()->path(), "file")).value_or(""), "kept");
}

TEST_F(ContainerStoreTest, WhatIsDyingDoesNotRunAndIsWaitedFor) {
  for (const bool remove : {true, false}) {
    dying("box", 300ms);
    EXPECT_EQ(store_->find("box")->state.exit_code, 137);
    EXPECT_FALSE(store_->list()->front().running());
    EXPECT_EQ(store_->signal("box", SIGTERM).error().message(), "container box is not running");
    const auto start = std::chrono::steady_clock::now();
    EXPECT_TRUE(remove ? store_->remove("box", {}).has_value() : store_->take("box").has_value());
    EXPECT_GT(std::chrono::steady_clock::now() - start, 100ms);
  }
}

TEST_F(ContainerStoreTest, WhatIsDyingWithRmIsGoneForAll) {
  dying("box", 300ms, true);
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(store_->take("box").error().kind(), ErrorKind::NotFound);
  EXPECT_THAT(in("containers"), IsEmpty());
  dying("box", 100ms, true);
  const auto again = store_->create(record("box"));
  EXPECT_TRUE(again) << "its name is free when it is gone: " << again.error().message();
}

TEST_F(ContainerStoreTest, TheEndHasItsRoomBeforeTheProgramStarts) {
  auto owned = store_->create(record("box")).value();
  ASSERT_TRUE(owned->begin());
  const std::string room = join_path(owned->path(), "end.json");
  EXPECT_GE(read_file(room)->size(), 4096U);
  ContainerState ended{.status = ContainerStatus::Created, .exit_code = 127, .error = {}};
  ended.error.assign(100'000, '\x01');
  ASSERT_TRUE(owned->end(ended));
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, room));
  EXPECT_LE(read_file(join_path(owned->path(), "state.json"))->size(), 4096U);
  EXPECT_EQ(store_->find("box")->state.exit_code, 127);
}

TEST_F(ContainerStoreTest, SaysHowMuchAContainerHasWritten) {
  auto owned = store_->create(record("box")).value();
  const std::string files = join_path(owned->path(), "fs");
  EXPECT_EQ(store_->written_bytes(owned->record().id).value(), 0U) << "nothing yet";
  ASSERT_TRUE(make_dirs(files + "/upper/deep"));
  ASSERT_TRUE(write_file(files + "/upper/deep/a", "12345"));
  ASSERT_TRUE(sys::link_at(AT_FDCWD, files + "/upper/deep/a", AT_FDCWD, files + "/upper/b"));
  ASSERT_TRUE(sys::symlink_at("/etc", AT_FDCWD, files + "/upper/link"));
  EXPECT_EQ(store_->written_bytes(owned->record().id).value(), 9U) << "two names are one file";
  EXPECT_EQ(store_->path(owned->record().id), owned->path());
}

TEST_F(ContainerStoreTest, AKilledOwnerOfAContainerOfRmLeavesNothing) {
  killed([&] {
    ContainerRecord temporary = record("box", true);
    temporary.volumes = {{.volume = "anon", .target = "/v", .anonymous = true}};
    OwnedContainer* owned = store_->create(temporary).value().release();
    (void)volumes_->ensure({.name = "anon", .path = {}, .labels = {}});
    (void)owned->begin();
  });
  EXPECT_EQ(in("containers").size(), 1U);
  EXPECT_TRUE(store_->create(record("box")));  // its name is free
  EXPECT_THAT(in("containers"), IsEmpty());
  EXPECT_THAT(in("volumes"), IsEmpty());
}

TEST_F(ContainerStoreTest, AnOwnerKilledWhileItMakesTheContainerLeavesNothing) {
  killed([&] { store_->create(record("box")).value().release(); });
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_THAT(in("containers"), IsEmpty());
}

TEST_F(ContainerStoreTest, SignalsReachTheOwner) {
  auto owned = store_->create(record("box")).value();
  ASSERT_TRUE(owned->begin());
  ASSERT_TRUE(store_->signal("box", SIGUSR1));
  unsigned char number = 0;
  ASSERT_EQ(::read(owned->signals(), &number, 1), 1);
  EXPECT_EQ(number, SIGUSR1);
  ASSERT_TRUE(owned->end({}));
  EXPECT_EQ(store_->signal("box", SIGUSR1).error().message(), "container box is not running");
}

TEST_F(ContainerStoreTest, StopWaitsForTheEndAndKillsAfterAWhile) {
  auto owned = store_->create(record("box")).value();
  ASSERT_TRUE(owned->begin());
  std::string seen;
  std::thread owner([&] {
    while (seen.empty() || seen.back() != SIGKILL) {
      char number = 0;
      if (sys::poll_readable(owned->signals(), 5s).value_or(false) &&
          ::read(owned->signals(), &number, 1) == 1) {
        seen += number;
      }
    }
    (void)owned->end({});
  });
  EXPECT_TRUE(store_->stop("box", SIGTERM, 0s));
  owner.join();
  EXPECT_EQ(seen, (std::string{SIGTERM, SIGKILL}));
  EXPECT_TRUE(store_->stop("box", SIGTERM, 0s));
}

TEST_F(ContainerStoreTest, AnonymousVolumesGoOnlyWhenThatIsAskedFor) {
  for (const bool with_volumes : {false, true}) {
    ContainerRecord request = record("box");
    request.volumes = {{.volume = "anon", .target = "/a", .anonymous = true},
                       {.volume = "named", .target = "/n"}};
    ASSERT_TRUE(volumes_->ensure({.name = "anon", .path = {}, .labels = {}}));
    ASSERT_TRUE(volumes_->ensure({.name = "named", .path = {}, .labels = {}}));
    auto owned = store_->create(request).value();
    ASSERT_TRUE(owned->begin() && owned->end({}));
    EXPECT_THAT(store_->users_of("anon").value(), ElementsAre(owned->record().id));
    ASSERT_TRUE(store_->remove("box", {.volumes = with_volumes}));
    EXPECT_EQ(in("volumes").size(), with_volumes ? 1U : 2U);
  }
}

TEST_F(ContainerStoreTest, WhatCannotBeReadIsKept) {
  const std::string id = stopped("box");
  ASSERT_TRUE(write_file(path("containers/" + id + "/container.json"), "{"));
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(store_->find(id).error().kind(), ErrorKind::DataLoss);
  EXPECT_FALSE(store_->take(id));
  EXPECT_EQ(in("containers").size(), 1U);
  EXPECT_TRUE(store_->remove(id, {}));
  EXPECT_THAT(in("containers"), IsEmpty());
}

TEST_F(ContainerStoreTest, NothingIsThereWhereNothingEverRan) {
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(store_->remove("box", {}).error().kind(), ErrorKind::NotFound);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, path("containers")));
}

TEST(Names, IdsAreSixtyFourFreshHexDigits) {
  const std::string id = new_id().value();
  EXPECT_EQ(id.size(), 64U);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(id, new_id().value());
}

TEST(Names, SignalsAreWrittenInManyWays) {
  for (const char* text : {"TERM", "SIGTERM", "sigterm", "15"}) {
    EXPECT_EQ(parse_signal(text).value_or(0), SIGTERM) << text;
  }
  EXPECT_EQ(parse_signal("RTMIN+3").value_or(0), SIGRTMIN + 3);
  for (const char* text : {"", "0", "SIG", "NONSENSE", "99", "15x", "RTMIN+99"}) {
    EXPECT_FALSE(parse_signal(text)) << text;
  }
}

}  // namespace
}  // namespace mybuild::run
