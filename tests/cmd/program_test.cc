// SPDX-License-Identifier: Apache-2.0
// The program as a whole, over an engine that only plays: exit codes, which stream gets what,
// signals.
#include "snapshotter/base/child.h"
#include "snapshotter/base/digest.h"
#include "snapshotter/base/file.h"
#include "snapshotter/base/sys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>

#include <thread>

namespace mybuild {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

struct Ran {
  int code = -1;
  int signal = 0;
  std::string out;
  std::string err;
};

/// Starts the program; `signals` are sent one after another, each once the build is seen to run.
Ran run(std::vector<std::string> args, const std::vector<int>& signals = {}) {
  args.insert(args.begin(), MYBUILD_FAKE);
  Pipe out = *sys::pipe();
  Pipe err = *sys::pipe();
  auto child = Child::spawn({.argv = args,
                             .env = {"PATH=/bin"},
                             .fds = {{out.write_end.get(), 1}, {err.write_end.get(), 2}}});
  EXPECT_TRUE(child);
  out.write_end.reset();
  err.write_end.reset();
  Ran ran;
  std::thread reader([&] { ran.out = *sys::read_to_end(out.read_end.get()); });
  if (!signals.empty()) {
    std::array<std::byte, 4096> first{};
    const auto size = *sys::read(err.read_end.get(), first);  // the build runs
    ran.err = as_text(ByteSpan(first).first(size));
  }
  for (const int signal : signals) {
    EXPECT_TRUE(child->kill(signal));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  ran.err += *sys::read_to_end(err.read_end.get());
  reader.join();
  const auto status = child->wait();
  ran.code = status->code;
  ran.signal = status->signal;
  return ran;
}

TEST(Program, ABuildThatWorksLeavesStdoutEmpty) {
  const Ran ran = run({"-f", "x", "/tmp"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            "#1 [2/2] RUN false\n"
            "#1 DONE 0.0s\n"
            "\n 1 warning found (use --debug to expand):\n - JSONArgs: a warning\n");
}

TEST(Program, QuietPrintsTheImageIdAndNothingElse) {
  const Ran ran = run({"build", "-q", "/tmp"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, Digest::of("image").str() + "\n");
  EXPECT_EQ(ran.err, "");
}

TEST(Program, AFailureIsToldLast) {
  const Ran ran = run({"--target=fail", "/tmp"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr(" its \x1b[31moutput\n#1 ERROR: "));
  EXPECT_THAT(ran.err, EndsWith("Dockerfile:2\n"
                                "--------------------\n"
                                "   1 |     FROM scratch\n"
                                "   2 | >>> RUN false\n"
                                "--------------------\n"
                                "ERROR: failed to build: process \"/bin/sh -c false\" did not "
                                "complete successfully: exit code: 1\n"));
  EXPECT_THAT(run({"-q", "--target=fail", "/tmp"}).err,
              StartsWith("------\n > [2/2] RUN false:\n"));
}

TEST(Program, ABugIsReportedNotDumped) {
  const Ran ran = run({"--target=throw", "/tmp"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.err, EndsWith("ERROR: failed to build: a bug\n"));
}

TEST(Program, InterruptStopsTheBuildWithDockersStatus) {
  const Ran interrupted = run({"--target=hang", "/tmp"}, {SIGINT});
  EXPECT_EQ(interrupted.code, 130);
  EXPECT_THAT(interrupted.err, HasSubstr("#1 CANCELED\n"));
  EXPECT_THAT(interrupted.err, EndsWith("ERROR: failed to build: stopped by SIGINT\n"));
  EXPECT_THAT(interrupted.err, Not(HasSubstr("------")));
  EXPECT_EQ(run({"--target=hang", "/tmp"}, {SIGTERM}).code, 143);
}

TEST(Program, ASecondInterruptDoesNotWait) {
  EXPECT_EQ(run({"--target=stubborn", "/tmp"}, {SIGINT, SIGINT}).code, 130);
}

TEST(Program, ResultFilesAreWrittenOnSuccessAndStaleOnesRemovedOnFailure) {
  const auto dir = TempDir::create();
  const std::string iid = dir->path() + "/iid";
  const std::string metadata = dir->path() + "/metadata";
  EXPECT_EQ(run({"--iidfile", iid, "--metadata-file=" + metadata, "/tmp"}).code, 0);
  EXPECT_EQ(*read_file(iid), Digest::of("image").str());
  EXPECT_THAT(*read_file(metadata), HasSubstr("containerimage.config.digest"));
  EXPECT_EQ(run({"--iidfile", iid, "--target=fail", "/tmp"}).code, 1);
  EXPECT_FALSE(sys::exists_at(AT_FDCWD, iid));
  const Ran failed = run({"--iidfile", dir->path() + "/no/dir", "/tmp"});
  EXPECT_EQ(failed.code, 1);
  EXPECT_THAT(failed.err, HasSubstr("write the image ID"));
}

TEST(Program, UsageErrorsHaveDockersStatus) {
  EXPECT_EQ(run({"--nonsense", "/tmp"}).code, 125);
  EXPECT_EQ(run({"--squash", "/tmp"}).code, 125);
  EXPECT_EQ(run({"run", "--nonsense", "image"}).code, 125);
  EXPECT_EQ(run({"build"}).code, 1);
  EXPECT_EQ(run({"/no/such/dir"}).code, 1);
  EXPECT_EQ(run({}).code, 1);
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_THAT(run({"run", "--help"}).out, StartsWith("Usage:  mybuild run"));
}

TEST(Program, RunGivesTheProgramsStatus) {
  EXPECT_EQ(run({"run", "--rm", "a:1", "a", "b", "-c"}).code, 3);
  const Ran absent = run({"run", "absent"});
  EXPECT_EQ(absent.code, 125);
  EXPECT_EQ(absent.err, "ERROR: no such image: absent\n");
  const Ran missing = run({"run", "-q", "no-program"});
  EXPECT_EQ(missing.code, 127);
  EXPECT_EQ(missing.err, "ERROR: exec: \"x\": not found\n");
}

TEST(Program, RunShowsOnStderrThatItPulls) {
  const Ran pulled = run({"run", "missing"});
  EXPECT_EQ(pulled.code, 0);
  EXPECT_EQ(pulled.out, "");
  EXPECT_EQ(pulled.err, "#1 pulling\n#1 DONE 0.0s\n");
  EXPECT_EQ(run({"run", "--quiet", "missing"}).err, "");
  EXPECT_THAT(run({"run", "--pull=never", "missing"}).err, HasSubstr("no such image"));
  EXPECT_EQ(run({"run", "--pull=always", "a:1"}).err, "#1 pulling\n#1 DONE 0.0s\n");
}

TEST(Program, StartGivesTheProgramsStatus) {
  EXPECT_EQ(run({"start", "-a", "box"}).code, 5);
  EXPECT_EQ(run({"container", "start", "-ai", "box"}).code, 4);
  EXPECT_EQ(run({"start", "-a", "absent"}).code, 1);
  EXPECT_THAT(run({"start", "box"}).err, HasSubstr("background is not supported yet"));
}

TEST(Program, ContainersAndVolumesThatAreNotThereAreErrors) {
  EXPECT_THAT(run({"ps", "-a"}).out, StartsWith("CONTAINER ID   IMAGE"));
  EXPECT_EQ(run({"ps", "-aq"}).out, "");
  const Ran never = run({"ps", "-f", "status=bogus"});
  EXPECT_EQ(never.code, 1);
  EXPECT_THAT(never.err, HasSubstr("statuses are created, running, paused"));
  EXPECT_EQ(run({"volume", "ls", "-f", "bogus=1"}).code, 1);
  EXPECT_EQ(run({"container", "prune", "-f"}).out, "Total reclaimed space: 0B\n");
  EXPECT_EQ(run({"volume", "prune", "-f"}).out, "Total reclaimed space: 0B\n");
  EXPECT_EQ(run({"image", "prune", "-f"}).out, "Total reclaimed space: 0B\n");
  for (const char* verb : {"rm", "stop", "kill"}) {
    const Ran ran = run({verb, "absent"});
    EXPECT_EQ(ran.code, 1) << verb;
    EXPECT_THAT(ran.err, StartsWith("ERROR: no such container: absent\n")) << verb;
  }
  EXPECT_EQ(run({"rm", "-f", "absent"}).code, 0);
  EXPECT_EQ(run({"volume", "rm", "absent"}).code, 1);
  EXPECT_EQ(run({"cache-mount", "ls", "-q"}).out, "");
  EXPECT_EQ(run({"cache-mount", "rm", "absent"}).code, 1);
  EXPECT_EQ(run({"cache-mount", "rm"}).code, 1);
  EXPECT_EQ(run({"cache-mount", "export", "absent"}).code, 1);
  EXPECT_EQ(run({"cache-mount", "import"}).code, 1);
  EXPECT_EQ(run({"volume", "rm", "-f", "absent"}).code, 0);
  EXPECT_EQ(run({"volume", "ls", "-q"}).out, "");
  EXPECT_THAT(run({"volume", "lst"}).err, HasSubstr("did you mean 'mybuild volume ls'?"));
  EXPECT_THAT(run({"volume", "--help"}).out, StartsWith("Usage:  mybuild volume COMMAND"));
}

TEST(Program, ImagesAreListedInspectedAndRemoved) {
  EXPECT_THAT(run({"images"}).out, StartsWith("REPOSITORY   TAG"));
  const Ran inspected = run({"inspect", "a:1", "b"});
  EXPECT_EQ(inspected.code, 1);
  EXPECT_THAT(inspected.out, StartsWith("[\n    {\n        \"Id\": \"sha256:ca97"));
  EXPECT_THAT(inspected.out, EndsWith("\n    }\n]\n"));
  EXPECT_THAT(inspected.err, StartsWith("ERROR: no such object: b\n"));
  EXPECT_EQ(run({"inspect", "b"}).out, "[]\n");
  EXPECT_EQ(run({"image", "inspect", "-f", "{{.Os}}", "a:1"}).out, "linux\n");
  EXPECT_EQ(run({"image", "inspect", "b"}).err, "ERROR: no such image: b\n");
  EXPECT_EQ(run({"inspect", "--type=image", "b"}).err, "ERROR: no such image: b\n");
  EXPECT_THAT(run({"container", "inspect", "a:1"}).err, StartsWith("ERROR: no such container"));
  EXPECT_THAT(run({"volume", "inspect", "a:1"}).err, StartsWith("ERROR: no such volume"));
  EXPECT_THAT(run({"inspect", "--type=task", "b"}).err, HasSubstr("no objects of type 'task'"));
  const Ran removed = run({"rmi", "b", "a:1"});
  EXPECT_EQ(removed.code, 1);
  EXPECT_EQ(removed.out, "Untagged: a:1\n");
}

TEST(Program, FsckSaysWhatIsDamagedAndWhetherItIsGone) {
  const Ran damaged = run({"fsck", "-q"});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_THAT(damaged.out, StartsWith("blob sha256:aa: bad\n"));
  const Ran repaired = run({"fsck", "-q", "--repair"});
  EXPECT_EQ(repaired.code, 0);
  EXPECT_THAT(repaired.out, HasSubstr("bad (removed)\n"));
  EXPECT_THAT(run({"fsck", "-q", "--format", "json"}).out, HasSubstr("\"Sound\":false"));
  EXPECT_EQ(run({"fsck", "x"}).code, 1);
}

TEST(Program, ImagesArePulledPushedLoadedAndTagged) {
  const Ran pulled = run({"pull", "a"});
  EXPECT_EQ(pulled.code, 0);
  EXPECT_THAT(pulled.out, StartsWith("Digest: sha256:"));
  EXPECT_THAT(pulled.out, EndsWith("\nStatus: Downloaded newer image for a:latest\n"
                                   "docker.io/library/a:latest\n"));
  EXPECT_EQ(run({"pull", "-q", "a"}).out, "docker.io/library/a:latest\n");
  EXPECT_THAT(run({"push", "h:1/a:t"}).out, EndsWith(" size: 7\n"));
  EXPECT_EQ(run({"push", "-q", "h:1/a:t"}).out, "h:1/a:t\n");
  EXPECT_THAT(run({"load", "-i", "x"}).out, StartsWith("Loaded image ID: sha256:"));
  EXPECT_EQ(run({"tag", "a:1", "b"}).code, 0);
  EXPECT_EQ(run({"tag", "b:1", "b"}).err, "ERROR: no such image: b:1\n");
  EXPECT_EQ(run({"save", "-o", "/dev/null", "b"}).code, 1);
}

TEST(Program, InterruptStopsATransfer) {
  EXPECT_EQ(run({"pull", "a:hang"}, {SIGINT}).code, 130);
  EXPECT_EQ(run({"pull", "-aq", "a"}).out, "docker.io/library/a\n");
  EXPECT_THAT(run({"pull", "-a", "a"}).out,
              EndsWith("\nStatus: Downloaded newer image for a\ndocker.io/library/a\n"));
  EXPECT_THAT(run({"pull", "-a", "a:1"}).err, HasSubstr("cannot be used with --all-tags"));
  EXPECT_THAT(run({"push", "-a", "a"}).out, HasSubstr("\n2: digest: "));
  EXPECT_THAT(run({"push", "-a", "none"}).err, HasSubstr("no image here has a tag of none"));
}

TEST(Call, APlainAnswerGoesToStdoutAndExitsWithZero) {
  const Ran ran = run({"--call=targets", "/tmp"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_EQ(ran.out, "TARGET    DESCRIPTION\nbase\n(default)\n");
  EXPECT_EQ(ran.err, "");
}

TEST(Call, ACheckThatFindsSomethingExitsWithOne) {
  EXPECT_EQ(run({"--check", "/tmp"}).code, 0);
  const Ran found = run({"--check", "--target=found", "/tmp"});
  EXPECT_EQ(found.code, 1);
  EXPECT_THAT(found.out, StartsWith("Check complete, 1 warning has been found!\n"));
  EXPECT_EQ(run({"--call=check,ignorestatus=true", "--target=found", "/tmp"}).code, 0);
}

TEST(Call, WhatABuildWouldFailWithIsInTheJsonAndOnStderr) {
  const Ran ran = run({"--call=check,format=json", "--target=broken", "/tmp"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_THAT(ran.out, HasSubstr("\"buildError\""));
  EXPECT_THAT(ran.err, HasSubstr("ERROR: "));
}

TEST(Call, NoAnswerIsAnError) {
  const Ran ran = run({"--check", "--target=unreadable", "/tmp"});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out, "");
  EXPECT_THAT(ran.err, HasSubstr("failed to read dockerfile"));
}

TEST(Call, WhatWasNotCheckedIsSaid) {
  const Ran ran = run({"--check", "--target=offline", "/tmp"});
  EXPECT_EQ(ran.code, 0);
  EXPECT_THAT(ran.err, HasSubstr("busybox cannot be reached"));
}

}  // namespace
}  // namespace mybuild
