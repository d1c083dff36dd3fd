import numpy as np
from tensorflow.keras.layers import LSTM, Dense, Input
from tensorflow.keras.models import Model
from tensorflow.keras.utils import to_categorical

tokens, length, units = 9, 5, 10
rng = np.random.default_rng(5)
source = rng.integers(1, tokens, (80, length))
target = source[:, ::-1]
encoder_input_data = to_categorical(source, tokens)
decoder_input_data = to_categorical(np.pad(target[:, :-1], ((0, 0), (1, 0))), tokens)
decoder_target_data = to_categorical(target, tokens)

encoder_inputs = Input(shape=(None, tokens))
encoder_outputs, state_h, state_c = LSTM(units, return_state=True)(encoder_inputs)
encoder_states = [state_h, state_c]
decoder_inputs = Input(shape=(None, tokens))
decoder_lstm = LSTM(units, return_sequences=True, return_state=True)
decoder_outputs, _, _ = decoder_lstm(decoder_inputs, initial_state=encoder_states)
decoder_dense = Dense(tokens, activation="softmax")
model = Model([encoder_inputs, decoder_inputs], decoder_dense(decoder_outputs))
model.compile(optimizer="rmsprop", loss="categorical_crossentropy", metrics=["accuracy"])
history = model.fit([encoder_input_data, decoder_input_data], decoder_target_data, batch_size=8, epochs=2, verbose=0)

encoder_model = Model(encoder_inputs, encoder_states)
states_inputs = [Input(shape=(units,)), Input(shape=(units,))]
outputs, state_h, state_c = decoder_lstm(decoder_inputs, initial_state=states_inputs)
decoder_model = Model([decoder_inputs, *states_inputs], [decoder_dense(outputs), state_h, state_c])
states = encoder_model.predict(encoder_input_data[:1], verbose=0)
word = np.zeros((1, 1, tokens))
for _ in range(length):
    output, *states = decoder_model.predict([word, *states], verbose=0)
    word = to_categorical([output[0, -1].argmax()], tokens)[None]
