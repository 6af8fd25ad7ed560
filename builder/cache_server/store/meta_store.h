// SPDX-License-Identifier: Apache-2.0
// MetaStore: what the server knows about its blobs, in three tables' worth of questions: who may do
// what (AccessTables), what repositories hold (RepositoryTables), and which steps are known
// (RecordTables). Changes are on the disk when a call returns, and each call is one transaction.
// Thread-safe. Every driver runs through tests/contract/meta_store_suite.
#pragma once

namespace mybuild::cache_server {

class AccessTables;
class RecordTables;
class RepositoryTables;

class MetaStore {
 public:
  virtual ~MetaStore() = default;
  virtual AccessTables& access() = 0;
  virtual RepositoryTables& repositories() = 0;
  virtual RecordTables& records() = 0;
  /// Brings what is written ahead to where copies are made of, as far as nobody reads it still.
  /// Keys and tokens are there when the call that made them returns.
  virtual void settle() = 0;
};

}  // namespace mybuild::cache_server
