/// The graph as a ModelProto. Field numbers are those of onnx.proto of ONNX 1.12, whose IR version is 8.
extension Graph {
  private static let irVersion = 8
  private static let operatorSet = 17

  /// The bytes of a file; the same for the same graph and texts.
  /// - Parameter metadata: told beside the graph, by name.
  package func encoded(producer: (name: String, version: String), metadata: [String: String]) -> [UInt8] {
    var operators = ProtobufMessage()  // OperatorSetIdProto
    operators.add(1, "")  // domain: ONNX's own
    operators.add(2, Self.operatorSet)  // version

    var model = ProtobufMessage()  // ModelProto
    model.add(1, Self.irVersion)  // ir_version
    model.add(2, producer.name)  // producer_name
    model.add(3, producer.version)  // producer_version
    model.add(6, description)  // doc_string
    model.add(7, encodedGraph)  // graph
    model.add(8, operators)  // opset_import
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      var entry = ProtobufMessage()  // StringStringEntryProto
      entry.add(1, key)  // key
      entry.add(2, value)  // value
      model.add(14, entry)  // metadata_props
    }
    return model.bytes
  }

  private var encodedGraph: ProtobufMessage {
    var graph = ProtobufMessage()  // GraphProto
    for node in nodes { graph.add(1, node.encoded) }  // node
    graph.add(2, name)  // name
    for constant in constants { graph.add(5, constant.encoded) }  // initializer
    for input in inputs { graph.add(11, input.encoded) }  // input
    for output in outputs { graph.add(12, output.encoded) }  // output
    return graph
  }
}

extension Graph.Node {
  fileprivate var encoded: ProtobufMessage {
    var node = ProtobufMessage()  // NodeProto
    for input in inputs { node.add(1, input.name) }  // input
    node.add(2, output.name)  // output
    node.add(4, operation)  // op_type
    for (name, value) in attributes {
      var attribute = ProtobufMessage()  // AttributeProto
      attribute.add(1, name)  // name
      switch value {
      case .integer(let number):
        attribute.add(3, number)  // i
        attribute.add(20, 2)  // type: INT
      case .integers(let numbers):
        for number in numbers { attribute.add(8, number) }  // ints
        attribute.add(20, 7)  // type: INTS
      }
      node.add(5, attribute)  // attribute
    }
    return node
  }
}

extension Graph.Constant {
  fileprivate var encoded: ProtobufMessage {
    var tensor = ProtobufMessage()  // TensorProto
    for extent in shape { tensor.add(1, extent) }  // dims
    switch scalars {
    case .floats(let numbers):
      tensor.add(2, Graph.Element.float.rawValue)  // data_type
      tensor.add(8, name)  // name
      tensor.add(9, Self.littleEndian(numbers))  // raw_data
    case .integers(let numbers):
      tensor.add(2, Graph.Element.integer.rawValue)
      for number in numbers { tensor.add(7, number) }  // int64_data
      tensor.add(8, name)
    }
    return tensor
  }

  private static func littleEndian(_ numbers: [Float]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 4 * numbers.count)
    var span = bytes.mutableSpan
    for (index, number) in numbers.enumerated() {
      let bits = number.bitPattern
      for byte in 0..<4 { span[4 * index + byte] = UInt8(truncatingIfNeeded: bits >> (8 * UInt32(byte))) }
    }
    return bytes
  }
}

extension Graph.Terminal {
  fileprivate var encoded: ProtobufMessage {
    var shape = ProtobufMessage()  // TensorShapeProto
    for extent in self.shape {
      var dimension = ProtobufMessage()  // TensorShapeProto.Dimension
      switch extent {
      case .count(let count): dimension.add(1, count)  // dim_value
      case .free(let name): dimension.add(2, name)  // dim_param
      }
      shape.add(1, dimension)  // dim
    }
    var tensor = ProtobufMessage()  // TypeProto.Tensor
    tensor.add(1, element.rawValue)  // elem_type
    tensor.add(2, shape)  // shape
    var type = ProtobufMessage()  // TypeProto
    type.add(1, tensor)  // tensor_type
    var terminal = ProtobufMessage()  // ValueInfoProto
    terminal.add(1, value.name)  // name
    terminal.add(2, type)  // type
    return terminal
  }
}
